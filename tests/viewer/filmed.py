"""A real set for the viewer: numbered frames in several formats, scanned, cut into clips, some with files."""

from pathlib import Path
from typing import NamedTuple

from media import beeps, pan, write_number, write_video

from longtake.running import run

FPS = 24
CUT, FRAMES = 96, 240
"""The first frame of each film's second shot, and how many there are."""
CUT_S, DURATION_S = CUT / FPS, FRAMES / FPS
RECIPE = """
name = "small"
about = "Shots."
source = "nobody's"
[shots]
step = "content"
[clips]
step = "scenes"
similar_above = 0.99
[scores.motion]
[scores.look]
[select]
keep = ["duration_s >= 5", "motion.mean >= 0"]
[files]
preset = "ultrafast"
[captions.measured]
"""
CODINGS = {
    "plain.mp4": {},
    "parts.mkv": {"options": {"g": "999", "bf": "3", "sc_threshold": "0"}},
    "ten.mp4": {
        "codec": "libx265",
        "pixel_format": "yuv420p10le",
        "options": {"preset": "ultrafast", "x265-params": "log-level=none"},
    },
}


class Filmed(NamedTuple):
    """A set, and the folder of its films."""

    folder: Path
    films: Path


def make_filmed(folder: Path) -> Filmed:
    """Make films of two shots, 4 and 6 s long, and a set of them: the longer shots are kept, with files."""
    films, recipe = folder / "films", folder / "small.toml"
    films.mkdir(parents=True)
    recipe.write_text(RECIPE)
    pictures = [*pan(CUT, seed=1, speed=0.1), *pan(FRAMES - CUT, seed=5, speed=0.3)]
    numbered = [write_number(picture, number) for number, picture in enumerate(pictures)]
    for name, coding in CODINGS.items():
        sound = beeps(FRAMES / FPS, (1.0, 5.0), 0.1) if name == "plain.mp4" else None
        write_video(films / name, numbered, audio=sound, **coding)
    run(str(recipe), [films], folder / "set", workers=2)
    return Filmed(folder / "set", films)
