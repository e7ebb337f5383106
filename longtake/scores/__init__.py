"""Signals inside a clip, as named numbers: each file holds one score. Scores never keep or reject."""
