"""Questions to a model about a clip, answered with numbers that rules can ask for: each file holds one judge.

A judge is written like a captioner; it returns scores instead of captions. It is asked only about clips that passed
all rules on measured scores.
"""
