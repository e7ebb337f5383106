"""What a dry run says: what there is to do, how long it takes, what it stores, what it costs."""

from rich.markup import escape

from longtake.costs import Forecast
from longtake.dry_run import DryRun
from longtake.show.live import plan
from longtake.show.words import console, length, money

DAY_H = 24.0
LEAST = 0.0001
"""Nobody needs to know a number below it more closely."""
SIZES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (0.0, "kB"))


def forecast(done: DryRun) -> None:
    """Print a plan, if there is one, and what it would cost."""
    out = console()
    if done.plan:
        plan(out, done.plan)
    found = done.forecast
    assumed = found.assumed
    out.print(
        f"\n[bold]{_big(assumed.videos)} videos of {length(assumed.minutes * 60)}, {_big(found.video_h)} hours[/], "
        f"{assumed.height:.0f} lines high; costs {escape(done.costs_from)}."
    )
    kept = f"{_big(found.kept_clips)} kept clips, {_big(found.kept_h)} hours"
    lines = [
        ("clips", f"about {_big(found.clips)} found; {kept}{_supposed(found)}"),
        ("work", _work(found)),
        ("storage", _storage(found)),
        ("models", _models(found)),
    ]
    for name, words in lines:
        out.print(f"  [dim]{name:<9}[/]{escape(words)}")
    out.print("\nNothing was written.")


def _supposed(found: Forecast) -> str:
    return (
        "" if found.assumed.kept is not None else " (as much as in what was measured: --assume kept=SHARE says better)"
    )


def _work(found: Forecast) -> str:
    cores = found.assumed.cores
    words = (
        f"{_big(found.core_h)} core hours ({_big(found.scan_core_h)} to scan, {_big(found.write_core_h)} to write): "
        f"{length(found.elapsed_h * 3600)} on {_big(cores)} core{'' if cores == 1 else 's'}"
    )
    if found.core_h >= DAY_H:
        words += f", a day on {_big(found.core_h / DAY_H)}"
    return words + (f"; {money(found.compute_usd)}" if found.compute_usd is not None else "")


def _storage(found: Forecast) -> str:
    parts = ", ".join(f"{name} {size(amount)}" for name, amount in found.bytes.items())
    words = f"{size(sum(found.bytes.values()))}: {parts}"
    return words + (f"; {money(found.storage_usd_month)} a month" if found.storage_usd_month is not None else "")


def _models(found: Forecast) -> str:
    if not found.calls:
        return "nothing to ask"
    tokens = f"about {_big(found.prompt_tokens)} tokens in, {_big(found.completion_tokens)} out"
    paid = "price unknown" if found.model_usd is None else money(found.model_usd)
    return f"{_big(found.calls)} calls for captions; {tokens}; {paid}"


def size(amount: float) -> str:
    """Return bytes for people: `1.2 TB`."""
    unit, name = next((unit, name) for unit, name in SIZES if amount >= unit)
    return f"{amount / (unit or 1e3):,.1f} {name}"


def _big(number: float) -> str:
    """Return a number for people, with as many digits as anybody believes: `220 million`, `1,230`, `3.4`, `0.0012`."""
    for unit, name in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    if 0 < number < LEAST:
        return f"under {LEAST:g}"
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
