"""What work would cost: arithmetic on what was measured per video, per hour of video, per kept clip. Opens nothing."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from typing import Any, NamedTuple

from longtake.errors import UsageError
from longtake.steps import nearest

HOUR_S = 3600.0
MILLION = 1_000_000
TABLE = "costs.json"
"""What the recipes that come with the package cost on one machine; `benchmarks/costs.py` writes it."""


class Rate(NamedTuple):
    """A cost with two parts, for what is begun and what goes on: short videos are mostly begun."""

    each: float
    hour: float

    def of(self, count: float, hours: float) -> float:
        """Return what so many of them cost, which are so many hours long together."""
        return self.each * count + self.hour * hours


@dataclass(frozen=True, slots=True)
class Costs:
    """What a recipe costs, as measured on videos of one size."""

    pixels: float
    """Of a picture."""
    scan_cpu_s: Rate
    """Of a video: decoding, signals, shots, clips, scores, and storing all that."""
    signal_bytes: Rate
    preview_bytes: Rate
    table_bytes: Rate
    """All tables but the signals."""
    clips: Rate
    """Clips found in a video."""
    kept: float
    """Share of the time that is in kept clips, in [0, 1]."""
    kept_clip_s: float
    """Mean length of a kept clip."""
    write_cpu_s: Rate
    """Of a kept clip: decoding again, encoding, and the second look."""
    file_bytes: Rate
    calls: float
    """Questions to a model about a kept clip, for all captions."""
    prompt_tokens: float
    """Of all questions about a kept clip, pictures included: a guess until a model has answered."""
    completion_tokens: float


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a forecast goes by besides costs; what is None is taken from them, or left out."""

    videos: float
    minutes: float
    """Mean length of a video."""
    height: float = 720.0
    """Of the pictures, which are 16:9."""
    cores: float = 1.0
    kept: float | None = None
    kept_clip_s: float | None = None
    core_hour_usd: float | None = None
    tb_month_usd: float | None = None
    prompt_usd: float | None = None
    """Of a million tokens."""
    completion_usd: float | None = None

    @property
    def hours(self) -> float:
        """Of all videos together."""
        return self.videos * self.minutes / 60

    @property
    def pixels(self) -> float:
        """Of a picture."""
        return self.height**2 * 16 / 9


@dataclass(frozen=True, slots=True)
class Forecast:
    """What there would be to do, to store and to pay."""

    assumed: Assumed
    video_h: float
    clips: float
    kept_clips: float
    kept_h: float
    scan_core_h: float
    write_core_h: float
    bytes: dict[str, float]
    """Of signals, previews, tables and clip files."""
    calls: float
    prompt_tokens: float
    completion_tokens: float
    compute_usd: float | None
    storage_usd_month: float | None
    model_usd: float | None

    @property
    def core_h(self) -> float:
        """All work of this machine's own kind."""
        return self.scan_core_h + self.write_core_h

    @property
    def elapsed_h(self) -> float:
        """On the assumed cores, all busy."""
        return self.core_h / self.assumed.cores


def forecast(costs: Costs, assumed: Assumed) -> Forecast:
    """Return what videos would cost: proportional to their number, if all else is equal."""
    n, hours = assumed.videos, assumed.hours
    kept_h = hours * (costs.kept if assumed.kept is None else assumed.kept)
    kept_clips = kept_h * HOUR_S / (assumed.kept_clip_s or costs.kept_clip_s)
    scan_core_h = costs.scan_cpu_s.of(n, hours) / HOUR_S
    write_core_h = costs.write_cpu_s.of(kept_clips, kept_h) / HOUR_S
    stored = {
        "signals": costs.signal_bytes.of(n, hours),
        "previews": costs.preview_bytes.of(n, hours),
        "tables": costs.table_bytes.of(n, hours),
        "clip files": costs.file_bytes.of(kept_clips, kept_h),
    }
    tokens = [kept_clips * each for each in (costs.prompt_tokens, costs.completion_tokens)]
    prices = (assumed.prompt_usd, assumed.completion_usd)
    return Forecast(
        assumed,
        video_h=hours,
        clips=costs.clips.of(n, hours),
        kept_clips=kept_clips,
        kept_h=kept_h,
        scan_core_h=scan_core_h,
        write_core_h=write_core_h,
        bytes=stored,
        calls=kept_clips * costs.calls,
        prompt_tokens=tokens[0],
        completion_tokens=tokens[1],
        compute_usd=_times(scan_core_h + write_core_h, assumed.core_hour_usd),
        storage_usd_month=_times(sum(stored.values()) / 1e12, assumed.tb_month_usd),
        model_usd=None
        if None in prices
        else sum(t / MILLION * (p or 0.0) for t, p in zip(tokens, prices, strict=True)),
    )


def _times(amount: float, price: float | None) -> float | None:
    return None if price is None else amount * price


def between(measured: Sequence[Costs], pixels: float) -> Costs:
    """Return the costs at a size of picture: on the line between the sizes that were measured around it.

    Outside of them those of the nearest size are taken.
    """
    rows = sorted(measured, key=lambda one: one.pixels)
    above = next((i for i, one in enumerate(rows) if one.pixels >= pixels), len(rows) - 1)
    low, high = rows[max(0, above - 1)], rows[above]
    if above == 0 or high.pixels <= pixels:
        return replace(high, pixels=pixels)
    part = (pixels - low.pixels) / (high.pixels - low.pixels)
    return Costs(**{f.name: _mix(getattr(low, f.name), getattr(high, f.name), part) for f in fields(Costs)})


def _mix(low: Any, high: Any, part: float) -> Any:
    if isinstance(low, Rate):
        return Rate(*(_mix(a, b, part) for a, b in zip(low, high, strict=True)))
    return low + (high - low) * part


def parted(short: tuple[float, float, float], long: tuple[float, float, float]) -> Rate:
    """Return the rate that explains two measurements, each (videos, hours, cost); never below nothing."""
    (n1, h1, c1), (n2, h2, c2) = short, long
    each = (c1 * h2 - c2 * h1) / (n1 * h2 - n2 * h1)
    each = min(max(0.0, each), c1 / n1)
    return Rate(each, max(0.0, (c2 - each * n2) / h2))


def read_assumed(texts: Sequence[str], known: Mapping[str, float]) -> Assumed:
    """Read assumptions such as `videos=2e8`, over what is known already. Raises `UsageError`."""
    names = [field.name for field in fields(Assumed)]
    values = dict(known)
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in names:
            raise UsageError(
                f"--assume {text!r}: write NAME=NUMBER; {name!r} is none of {', '.join(names)}{nearest(name, names)}"
            )
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number >= 0):
            raise UsageError(f"--assume {text!r}: {value!r} is no number of 0 or more")
        values[name] = number
    for name in ("videos", "minutes"):
        if name not in values:
            raise UsageError(f"nothing says how many {name} there are: name sources, or --assume {name}=NUMBER")
    if values.get("cores", 1) == 0 or values.get("kept_clip_s", 1) == 0 or values.get("kept", 0) > 1:
        raise UsageError("--assume: cores and kept_clip_s are over 0, and kept is a share of the time, at most 1")
    return Assumed(**values)


def as_plain(costs: Costs) -> dict[str, Any]:
    """Return costs as plain data, for a file."""
    return {name: list(value) if isinstance(value, Rate) else value for name, value in asdict(costs).items()}


def from_plain(plain: Mapping[str, Any]) -> Costs:
    """Return costs from plain data."""
    values: dict[str, Any] = {name: Rate(*value) if isinstance(value, list) else value for name, value in plain.items()}
    return Costs(**values)


def table() -> dict[str, Any]:
    """Return the table that comes with the package: where it was measured, and `recipes`, costs by name."""
    plain: dict[str, Any] = json.loads((resources.files("longtake") / TABLE).read_text(encoding="utf-8"))
    recipes = {name: [from_plain(one) for one in rows] for name, rows in plain["recipes"].items()}
    return {**plain, "recipes": recipes}
