"""What rules leave of a set's clips."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from longtake.select import FunnelRow
from longtake.select_set import Choice
from longtake.show.words import console, count, length


def funnel(out: Console, rows: Sequence[FunnelRow]) -> None:
    """Print what each rule left and took."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, justify in (("", "left"), ("clips", "right"), ("length", "right"), ("rejected", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # one of rich's literals
    for row in rows:
        label = str(row.rule) if row.rule else "clips found"
        rejected = f"{row.rejected:,}" if row.rule else ""
        if row.not_measured:
            rejected += f" ({row.not_measured:,} not measured)"
        if row.not_asked:
            rejected += f" ({row.not_asked:,} not asked)"
        table.add_row(label, f"{row.clips:,}", length(row.seconds), rejected)
    out.print(table)


def selection(choice: Choice) -> None:
    """Print what rules would keep."""
    out = console()
    funnel(out, choice.funnel)
    kept = count(choice.funnel[-1].clips, "clip")
    out.print(f"\n[bold]Keeps {kept}[/], {choice.before:,} before; took {choice.elapsed_s * 1000:.0f} ms.")
    recipe = escape(str(choice.folder / "recipe.toml"))
    if not choice.saved:
        out.print("Nothing was changed; --save keeps this choice.")
        return
    out.print(f"Saved as the set's rules in {recipe}.")
    if choice.grounds:
        out.print(escape(f"Spans follow with: longtake ground {choice.folder}"))
    if choice.without_file and choice.writes_files:
        missing = count(choice.without_file, "kept clip")
        folder = escape(str(choice.folder))
        out.print(f"{missing} without a file; to write: longtake run {recipe} VIDEOS --to {folder}")
