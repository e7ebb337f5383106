"""Frames in, numbers out: each file holds one signal, which runs inside the one scan of a video."""
