"""Who says of each transition whether what it parts belongs together: each file holds one voter.

One that goes by a signal is a function `(series, shots, ...)` and returns a `Vote` for each transition, that is, for
every two neighbours among the shots. One that asks a model is `async`, is given a `View` of the stretch around one
transition (with `transition`, its span in seconds of that stretch) and `ask`, and returns one `Vote`.
"""
