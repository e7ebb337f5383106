"""The results of detectors as tables, side by side."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from _judge import Agreement, Result, Share
from rich.console import Console
from rich.table import Table
from truth import TAKE_S, Truth

WIDTH = 120
"""Columns where there is no terminal."""
JOINED = {"fade_black": "fade", "fade_white": "fade", "jumpcut": "jump cut"}
ORDER = ("cut", "jump cut", "dissolve", "fade", "wipe", "gradual")


def show(truths: Sequence[Truth], results: Mapping[str, Result]) -> None:
    """Print how well detectors do: detectors as rows, and a table of confidences for each that gives some."""
    console = _console()
    count = sum(len(truth.transitions) for truth in truths)
    takes = sum(len(truth.long_takes) for truth in truths)
    about = f"{count} transitions, {takes} takes of {TAKE_S:g} s and more"
    console.print(f"{len(truths)} videos, {sum(truth.frames for truth in truths)} frames, {about}", highlight=False)
    _agreement(console, "Exact: found, by the true kind", results, lambda result: result.exact)
    _agreement(console, "ShotBench: found, by the true kind", results, lambda result: result.shotbench)
    _kinds(console, "Exact: right, by the predicted kind", results, lambda result: result.exact.precision_by_kind)
    _kinds(console, "Exact: named rightly, of those found", results, lambda result: result.exact.named_by_kind)
    _places(console, results)
    _takes(console, results)
    _false_positives(console, results)
    for name, result in results.items():
        _reliability(console, name, result)
    for name, result in results.items():
        if result.without_prediction:
            console.print(f"{name} says nothing of {', '.join(result.without_prediction)}", highlight=False)


def show_costs(costs: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what detectors cost."""
    rows = [[name, f"{one['median_cpu_ratio']:.3f}", f"{one['total_cpu_ratio']:.3f}"] for name, one in costs.items()]
    columns = ["", "median of the videos", "all together"]
    _table(_console(), "CPU time over that of bare decoding", columns, rows)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _table(console: Console, title: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(f"\n[bold]{title}[/]", highlight=False)
    console.print(table, highlight=False)


def _joined(shares: Mapping[str, Share]) -> dict[str, Share]:
    """Return shares by the kinds as they are printed, in their order."""
    both: dict[str, Share] = {}
    for kind, share in shares.items():
        label = JOINED.get(kind, kind)
        old = both.get(label, Share(0, 0))
        both[label] = Share(old.part + share.part, old.whole + share.whole)
    return {kind: both[kind] for kind in sorted(both, key=lambda kind: (*ORDER, kind).index(kind))}


def _kinds(
    console: Console, title: str, results: Mapping[str, Result], part: Callable[[Result], Mapping[str, Share]]
) -> None:
    rows = {name: _joined(part(result)) for name, result in results.items()}
    present = {kind for row in rows.values() for kind in row}
    kinds = sorted(present, key=lambda kind: (*ORDER, kind).index(kind))
    if kinds:
        cells = [[name, *(_of(row.get(kind)) for kind in kinds)] for name, row in rows.items()]
        _table(console, title, ["", *kinds], cells)


def _agreement(
    console: Console, title: str, results: Mapping[str, Result], part: Callable[[Result], Agreement]
) -> None:
    kinds: list[str] = []
    rows = []
    for name, result in results.items():
        one = part(result)
        shares = _joined(one.recall_by_kind)
        kinds = list(shares)
        whole = (one.precision, one.recall, one.f1)
        rows.append([name, *(f"{value:.3f}" for value in whole), *(_of(share) for share in shares.values())])
    _table(console, title, ["", "precision", "recall", "F1", *kinds], rows)


def _places(console: Console, results: Mapping[str, Result]) -> None:
    columns = ["", "cuts: mean offset", "gradual: start error", "end error", "found", "duplicates", "ignored"]
    rows = [
        [
            name,
            _number(one.cut_offset_frames, "+.2f"),
            _number(one.start_error_frames, ".2f"),
            _number(one.end_error_frames, ".2f"),
            str(one.gradual_found),
            str(one.duplicates),
            str(one.ignored),
        ]
        for name, one in results.items()
    ]
    _table(console, "Places, in frames", columns, rows)


def _takes(console: Console, results: Mapping[str, Result]) -> None:
    rows = []
    for name, one in results.items():
        low, high = one.purity.interval
        share = f"{one.covered_s / one.long_takes_s:.3f}" if one.long_takes_s else "-"
        seconds = f"{one.covered_s:.1f} of {one.long_takes_s:.1f} s"
        interval = f"{low:.2f} to {high:.2f}"
        rows.append([name, _of(one.purity), _number(one.purity.value, ".3f"), interval, _of(one.takes_kept)])
        rows[-1] += [seconds, share]
    columns = ["", "reported are pure", "share", "95 % interval", "true kept whole", "true covered", "share"]
    _table(console, f"Takes of {TAKE_S:g} s and more", columns, rows)


def _false_positives(console: Console, results: Mapping[str, Result]) -> None:
    events = next(iter(results.values())).distractors
    kinds = sorted({*events, *(kind for one in results.values() for kind in one.false_positives)} - {"plain"})
    rows = [
        [kind, str(events.get(kind, "")), *(str(one.false_positives.get(kind, 0)) for one in results.values())]
        for kind in (*kinds, "plain")
    ]
    _table(console, "False positives, by distractor", ["", "there are", *results], rows)


def _reliability(console: Console, name: str, result: Result) -> None:
    if not result.reliability:
        return
    rows = [
        [f"{one.low:.1f} to {one.high:.1f}", str(one.count), f"{one.confidence:.3f}", f"{one.true:.3f}"]
        for one in result.reliability
    ]
    title = f"Confidence of {name}: expected calibration error {_number(result.calibration_error, '.3f')}"
    _table(console, title, ["", "count", "confidence", "true"], rows)


def _of(share: Share | None) -> str:
    return f"{share.part}/{share.whole}" if share and share.whole else "-"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
