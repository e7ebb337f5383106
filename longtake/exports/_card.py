"""The dataset card: what an export is and how it was made, as Hugging Face's hub shows it."""

import json
import re
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longtake.exports import About, Placed, Row
from longtake.exports._plots import histogram

PLOTS = "plots"
TO_FILL_IN = "TO BE FILLED IN"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Tally:
    """What is counted while the clips go out; about 20 bytes a clip are kept."""

    def __init__(self) -> None:
        self.splits: Counter[str] = Counter()
        self.videos: Counter[str] = Counter()
        """By container."""
        self.bytes = 0
        self.durations_s = array("d")
        self.words = array("l")
        """Of each caption that is not empty."""
        self._last_video = ""

    def add(self, row: Row, placed: Placed, caption: str) -> None:
        """Count a clip; clips come in the order of their videos."""
        self.splits[row.split] += 1
        self.bytes += placed.bytes
        self.durations_s.append(placed.duration_s)
        if caption:
            self.words.append(len(caption.split()))
        if row.video["id"] != self._last_video:
            self._last_video = row.video["id"]
            self.videos[row.video["container"]] += 1


def write_card(
    folder: Path,
    tally: Tally,
    about: About,
    paths: Mapping[str, str],
    layout: str,
    features: Mapping[str, Any] | None = None,
) -> None:
    """Write `README.md`, as `card` says it, and the plots that it shows."""
    (folder / "README.md").write_text(card(tally, about, paths, layout, features), encoding="utf-8", newline="\n")
    (folder / PLOTS).mkdir(exist_ok=True)
    for name, title, values, unit in _plotted(tally):
        (folder / PLOTS / f"{name}.svg").write_text(histogram(values, title, unit), encoding="utf-8", newline="\n")


def _plotted(tally: Tally) -> list[tuple[str, str, Sequence[float], str]]:
    """Return name, title, values and unit of each plot there is something for."""
    every = (("durations", "Clips by length", tally.durations_s, "s"), ("captions", "Captions", tally.words, "words"))
    return [plot for plot in every if plot[2]]


def card(
    tally: Tally, about: About, paths: Mapping[str, str], layout: str, features: Mapping[str, Any] | None = None
) -> str:
    """Return `README.md`: how readers find each split's files, then what a person should know.

    `paths` are patterns of each split's files, so that no reader guesses splits by file names; `features` the types of
    what they hold, for readers that guess them by the first few samples. The licence, and whom to write to, are left to
    be filled in by whoever publishes the set.
    """
    return "\n".join(
        [
            *_head(tally, about, paths, features),
            f"# {about.name}",
            "",
            f"{len(tally.durations_s):,} video clips, {_hours(sum(tally.durations_s))}, from"
            f" {sum(tally.videos.values()):,} source videos. Made with {about.made_with}.",
            "",
            layout.strip(),
            "",
            *_statistics(tally),
            *_how(about),
            "## Intended use",
            "",
            "Training and testing of models that make, describe or search video. Captions are written by models or",
            "from measurements and were not read by a person: expect mistakes in them.",
            "",
            "## Licence",
            "",
            f"**{TO_FILL_IN}** by whoever publishes this set: the licence of the captions and the list of clips, and",
            "what the makers of the source videos allow. Set `license:` in the head of this file too.",
            "",
            "## Removal",
            "",
            f"If you hold rights in a video, or are seen in one, and want it removed, write to: **{TO_FILL_IN}**",
            "",
        ]
    )


def _head(tally: Tally, about: About, paths: Mapping[str, str], features: Mapping[str, Any] | None) -> list[str]:
    clips = len(tally.durations_s)
    size = next((name for under, name in SIZES if clips < under), "n>1M")
    lines = ["---", f"pretty_name: {json.dumps(about.name)}", f"# license: {TO_FILL_IN}"]
    lines += ["task_categories:", "- text-to-video", "- video-text-to-text", "size_categories:", f"- {size}"]
    if paths:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split in sorted(tally.splits):
            lines += [f"  - split: {split}", f"    path: {json.dumps(paths[split])}"]
    if features:  # in YAML's short form, which is JSON
        lines += ["dataset_info:", f"  features: {json.dumps(_listed(features))}"]
    return [*lines, "---", ""]


def _listed(types: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return types as the hub's cards write them."""
    found: list[dict[str, Any]] = []
    for name, of in types.items():
        if isinstance(of, list):
            found.append({"name": name, "list": _listed(of[0])})
        elif isinstance(of, dict):
            found.append({"name": name, "struct": _listed(of)})
        else:
            found.append({"name": name, "dtype": of})
    return found


def _statistics(tally: Tally) -> list[str]:
    """Return tables of clips by split, of durations and caption lengths, and of the sources."""
    clips = len(tally.durations_s)
    lines = ["## Statistics", "", "| split | clips |", "|---|---:|"]
    lines += [f"| {split} | {count:,} |" for split, count in sorted(tally.splits.items())]
    lines += ["", "| | 5 % | 25 % | median | 75 % | 95 % | mean |", "|---|" + "---:|" * 6]
    for name, values, digits in (("clip, seconds", tally.durations_s, 1), ("caption, words", tally.words, 0)):
        if values:
            numbers = [*quantiles(values), sum(values) / len(values)]
            lines.append(f"| {name} | " + " | ".join(f"{number:.{digits}f}" for number in numbers) + " |")
    containers = ", ".join(f"{count:,} `{name}`" for name, count in sorted(tally.videos.items()))
    lines += ["", f"{len(tally.words):,} of {clips:,} clips have a caption; {tally.bytes / 1e6:,.1f} MB of video."]
    lines += [f"Source videos by container: {containers or 'none'}.", ""]
    return [*lines, *(f"![{title}]({PLOTS}/{name}.svg)" for name, title, _, _ in _plotted(tally)), ""]


def _how(about: About) -> list[str]:
    """Return the funnel and the recipe in full."""
    lines = ["## How it was made", "", "What each rule of the recipe left:", ""]
    lines += ["| rule | clips left | hours left |", "|---|---:|---:|"]
    for row in about.funnel:
        rule = f"`{row['rule']}`" if row["rule"] else "all clips found"
        lines.append(f"| {rule} | {row['clips']:,} | {row['seconds'] / 3600:,.2f} |")
    longest = max((len(run) for run in re.findall("`+", about.recipe_toml)), default=0)
    fence = "`" * max(3, longest + 1)
    return [*lines, "", "The recipe, in full:", "", f"{fence}toml", about.recipe_toml.rstrip("\n"), fence, ""]


def quantiles(values: Sequence[float]) -> list[float]:
    """Return the values below which `SHARES` of them lie: always values that are there."""
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in SHARES]


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} hours" if seconds >= 3600 else f"{seconds / 60:,.1f} minutes"
