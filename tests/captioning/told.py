"""A small set whose clips tell by numbers what they are, and what tests ask of it."""

from pathlib import Path

from faultserver import FaultServer

from longtake.store import Store

FILMS, FRAMES, FPS = 5, 120, 10
RECIPE = """
name = "told"
[shots]
step = "content"
threshold = 200
[clips]
step = "takes"
trim_s = 0
[scores.motion]
[select]
keep = ["duration_s >= 1"]
[captions.lvd2m]
segment_s = 6
"""


def model(server: FaultServer, **more: object) -> list[str]:
    settings = {"url": f"'{server.url}'", "model": "'fake'", **more}
    return [f"models.default.{name}={value}" for name, value in settings.items()]


def captions(folder: Path) -> list[dict]:
    return Store(folder).read("captions").to_pylist()


def number_of(clip_id: str) -> int:
    return int(clip_id[len("film")])
