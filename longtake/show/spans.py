"""Spans: what grounding gave, how good they are, and what is wrong with published ones."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from longtake.ground_set import GroundedSet
from longtake.grounding._retrieval import Evaluation
from longtake.published import Checked
from longtake.show.words import console, count
from longtake.spanning import Spanned

LINES_SHOWN = 5


def spanned(out: Console, done: Spanned | None) -> None:
    """Print what grounding gave."""
    if done is None:
        return
    if done.stopped:
        out.print(Text(f"No spans were made: {done.stopped}.", "red"))
        return
    if done.unscanned:
        videos = count(done.unscanned, "video")
        out.print(Text(f"{videos} with captions never scanned for {done.signal}, and left out.", "yellow"))
    if not done.spans and not done.rejected:
        out.print("No spans: no kept clip has a caption that is asked for.")
        return
    out.print(f"[bold]{count(done.spans, 'span')}[/] of {count(done.spans + sum(done.rejected.values()), 'caption')}.")
    for reason, number in done.rejected.items():
        out.print(Text(f"  {number:,} {reason}", "dim"))
    if not done.scored:
        out.print(Text("  The signal has no place for texts: captions were not weighed against pictures.", "dim"))


def grounded(done: GroundedSet) -> None:
    """Print what grounding a set did, and how often a caption finds its positive."""
    out = console()
    spanned(out, done.spanned)
    if done.evaluation:
        evaluation(out, done.evaluation, scored=done.spanned.scored)
    out.print(escape(f"\nLook at   {done.folder / 'report.html'}"))
    if done.spanned.spans:
        out.print(escape(f"Try       longtake export {done.folder} internvid_g --to FOLDER"))


def evaluation(out: Console, found: Evaluation, *, scored: bool) -> None:
    """Print how often a caption finds its positive among the scenes of its negative span, and what chance would."""
    if not found.spans:
        why = "there is no good span" if scored else "the signal has no place for texts"
        out.print(f"Nothing to evaluate: {why}.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in (f"{count(found.spans, 'span')} retrieved", "recall@1, IoU 0.5", "IoU 0.7", "mean IoU"):
        table.add_column(name, justify="left" if "span" in name else "right")
    for name, hits in (
        ("by caption", found.retrieved),
        ("by its middle frame", found.middle_frame),
        ("by chance", found.random),
    ):
        table.add_row(name, *(f"{value:.3f}" for value in (hits.recall_05, hits.recall_07, hits.mean_iou)))
    out.print()
    out.print(table)


def checked(done: Checked) -> None:
    """Print how many published records break what makes a span right."""
    out = console()
    out.print(f"{count(done.records, 'record')} of {count(done.videos, 'video')}: [bold]{done.sound:,} sound[/].")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, justify in (("broken", "right"), ("", "left"), ("first", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # one of rich's literals
    for found in done.broken:
        first = ", ".join(f"line {record.line}" for record in found.examples)
        style = "red" if found.records else "dim"
        table.add_row(Text(f"{found.records:,}", style), Text(f"{found.invariant}: {found.meaning}"), first)
    out.print(table)
    if done.not_tested:
        out.print(f"Not tested, for want of --scenes or --similarity: {', '.join(done.not_tested)}.")
    for number, words in (
        (done.without_scenes, "of videos that the file of scenes lacks or has none for"),
        (done.without_similarity, "of videos that the file of similarities lacks, or has none or other scenes for"),
    ):
        if number:
            out.print(f"{count(number, 'record')} {words}.")
    if done.bad_lines:
        out.print(f"[red]{count(len(done.bad_lines), 'line')} can't be read[/]:")
        for line in done.bad_lines[:LINES_SHOWN]:
            out.print(Text(f"  {line.path}, line {line.line}: {line.problem}"))
