"""Pictures as the network sees them, and the words all of the training shares."""

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float32]
"""Shape (n, HEIGHT, WIDTH, 3), RGB, 0 to 255."""
Labels = NDArray[np.int64]
Times = NDArray[np.float32]
"""Seconds."""
Random = np.random.Generator
WIDTH, HEIGHT = 48, 26
NONE, CUT, DISSOLVE, FADE, WIPE = range(5)
"""Labels of frames, in the network's order: a cut is the first frame of the new shot, the others are mixed frames."""
IGNORE = -1
"""A label that says nothing: the two sides can't be told apart."""
Y, X = (np.mgrid[0 : 4 * HEIGHT, 0 : 4 * WIDTH].astype(np.float32) + 0.5) / np.float32(4)
X, Y = X / WIDTH, Y / HEIGHT
"""Where the points of a picture at four times its size are, 0 to 1."""
