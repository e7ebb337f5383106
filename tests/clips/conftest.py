"""A film of scenes, and a signal that tells them apart, for ways to make clips in a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from media import dissolve, pan, write_video

STEPS = '''
"""A signal for tests: which colour pictures have."""
import numpy as np

from longtake.records import Series
from longtake.video.scan import Tap


class Tones:
    """The mean colour, twice per second, and a column that is always the same."""

    columns = ("colour_r", "colour_g", "colour_b", "shape_0")
    tap = Tap(64, "rgb24", hz=2)

    def __call__(self, frames):
        means = [[*(picture.mean(axis=(0, 1)) - 128), 1] for picture in frames.pixels]
        return Series(
            self.columns, frames.times.copy(), frames.numbers.copy(), np.array(means, np.float32).reshape(-1, 4)
        )
'''


def _toned(seed: int, tone: tuple[int, int, int], frames: int) -> list[np.ndarray]:
    """A slow pan over detail of its own in the colours of a scene."""
    gray = [frame[..., :1].astype(np.float32) for frame in pan(frames, seed=seed, speed=0.1)]
    return [np.clip(picture - gray[0].mean() + np.array(tone), 0, 255).astype(np.uint8) for picture in gray]


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots of one scene (cut at frame 72), another (cut at 144), the first again (dissolve of 228 to 252, to 336).

    24 frames per second.
    """
    warm, cold = (190, 120, 80), (70, 120, 190)
    one, same = _toned(1, warm, 72), _toned(2, warm, 72)
    other, again = _toned(3, cold, 108), _toned(4, warm, 108)
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", [*one, *same, *dissolve(other, again, 24)])


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the signal `scene_steps:Tones` importable, here and in workers, and return a folder for recipes."""
    (tmp_path / "scene_steps.py").write_text(STEPS)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
