"""How the command line looks: plans, progress, funnels and tables; plain text where there is no terminal.

Nothing is imported here: a command loads what it shows, and no more.
"""
