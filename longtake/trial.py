"""A recipe tried on a few videos, in a folder that is gone afterwards, to see what it costs."""

import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from longtake.ask import ModelSettings
from longtake.captioning.estimating import estimate
from longtake.costs import HOUR_S, Costs, Rate
from longtake.places import Place
from longtake.recipe import Recipe
from longtake.running import run
from longtake.store import Store
from longtake.watch import Estimate, Plan, Progress

NOBODY = "http://localhost/v1"
"""Stands for a model that would be asked; it never is."""
FILES_BEGIN = ("write", "verify")
PARTS = {"signals.lance": "signals", "previews": "previews", "clips": "files"}
"""Parts of a set folder that are counted by themselves; of the others, the rows of tables are."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a recipe took on some videos, all together."""

    videos: int
    hours: float
    pixels: float
    """Of a picture, on average."""
    scan_cpu_s: float
    write_cpu_s: float
    bytes: dict[str, int]
    """Of `signals`, `previews`, `tables`, `files`."""
    clips: int
    kept_clips: int
    kept_h: float
    calls: int
    prompt_tokens: int
    completion_tokens: int

    def costs(self) -> Costs:
        """Return the costs per hour; what is only begun can't be told apart from what goes on."""
        hours, kept_h, kept = self.hours or 1.0, self.kept_h or 1.0, max(1, self.kept_clips)
        return Costs(
            pixels=self.pixels,
            scan_cpu_s=Rate(0.0, self.scan_cpu_s / hours),
            signal_bytes=Rate(0.0, self.bytes["signals"] / hours),
            preview_bytes=Rate(0.0, self.bytes["previews"] / hours),
            table_bytes=Rate(0.0, self.bytes["tables"] / hours),
            clips=Rate(0.0, self.clips / hours),
            kept=self.kept_h / hours,
            kept_clip_s=self.kept_h * HOUR_S / kept if self.kept_clips else 10.0,
            write_cpu_s=Rate(0.0, self.write_cpu_s / kept_h),
            file_bytes=Rate(0.0, self.bytes["files"] / kept_h),
            calls=self.calls / kept,
            prompt_tokens=self.prompt_tokens / kept,
            completion_tokens=self.completion_tokens / kept,
        )


class _Clock:
    """Notes how much processor time had gone when files began to be written."""

    def __init__(self) -> None:
        self.files_from: float | None = None

    def __call__(self, news: Plan | Progress | Estimate) -> None:
        if isinstance(news, Progress) and news.phase in FILES_BEGIN and self.files_from is None:
            self.files_from = cpu_s()


def cpu_s() -> float:
    """Return the processor time of this process and of its workers that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def try_out(recipe: Recipe, videos: Sequence[str | Place], workers: int | None = None) -> Trial:
    """Run a recipe on some videos, ask no model, and return what it took."""
    silent = replace(recipe, models={name: replace(one, url="") for name, one in recipe.models.items()})
    with tempfile.TemporaryDirectory(prefix="longtake-trial-") as folder:
        made = Path(folder) / "set"
        clock, begun = _Clock(), cpu_s()
        run(silent, videos, made, workers=workers, watch=clock)
        ended = cpu_s()
        files_from = ended if clock.files_from is None else clock.files_from
        store = Store(made)
        rows = store.read("videos", ["duration_s", "width", "height"])
        kept = store.read("clips", ["duration_s"], "kept")
        asked = _asked(store, recipe)
        return Trial(
            videos=rows.num_rows,
            hours=_sum(rows["duration_s"]) / HOUR_S,
            pixels=float(np.mean(rows["width"].to_numpy() * rows["height"].to_numpy())) if rows.num_rows else 0.0,
            scan_cpu_s=files_from - begun,
            write_cpu_s=ended - files_from,
            bytes=_bytes(made),
            clips=store.count("clips"),
            kept_clips=kept.num_rows,
            kept_h=_sum(kept["duration_s"]) / HOUR_S,
            calls=asked.calls,
            prompt_tokens=asked.prompt_tokens,
            completion_tokens=asked.completion_tokens,
        )


def _asked(store: Store, recipe: Recipe) -> Estimate:
    """Return what models would be asked for captions, wherever they are."""
    models = {name: replace(one, url=one.url or NOBODY) for name, one in recipe.models.items()}
    models.setdefault("default", ModelSettings(url=NOBODY))
    return estimate(store, replace(recipe, models=models), list(recipe.captions.values()))


def _sum(column: Sequence[float]) -> float:
    return float(np.sum(np.asarray(column, np.float64)))


def _bytes(folder: Path) -> dict[str, int]:
    sizes = dict.fromkeys(("signals", "previews", "tables", "files"), 0)
    for path in folder.rglob("*"):
        first, *below = path.relative_to(folder).parts
        if path.is_file() and (first in PARTS or below[:1] == ["data"]):
            sizes[PARTS.get(first, "tables")] += path.stat().st_size
    return sizes
