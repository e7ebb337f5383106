"""What a command did: funnels, kept clips, captions."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from longtake.caption_set import CaptionedSet
from longtake.captioning.terms import Asked
from longtake.exporting import Exported
from longtake.grouping import Grouped
from longtake.places import Place
from longtake.planning import PASSING, REMOVED
from longtake.removing import Removed
from longtake.running import RunResult
from longtake.show.funnels import funnel
from longtake.show.spans import spanned
from longtake.show.words import console, count, length, money


def result(done: RunResult) -> None:
    """Print what a run left."""
    out = console()
    out.print()
    funnel(out, done.funnel)
    copies(out, done.grouped)
    last = done.funnel[-1]
    out.print(f"\n[bold]Kept {count(last.clips, 'clip')}, {length(last.seconds)}.[/]")
    written = done.written
    files = [
        (written.written, "written"),
        (written.verified, "looked at again"),
        (written.removed, "removed, of clips no longer kept"),
    ]
    said = [(number, what) for number, what in files if number]
    if said:
        first, *more = said
        words = [f"{count(first[0], 'clip file')} {first[1]}", *(f"{number:,} {what}" for number, what in more)]
        out.print(", ".join(words) + ".")
    for key, number in sorted(done.measured.no_numbers.items()):
        out.print(
            f"[yellow]The score {escape(key)} was no finite number for {count(number, 'clip')}[/]: "
            "stored as not measured."
        )
    for sentence in done.second_look.words():
        out.print(escape(sentence))
    if done.voted.clips:
        out.print(f"Models voted on {count(done.voted.clips, 'transition')}.")
    for phase in (done.voted, done.judged, done.captioned):
        asked(out, phase)
    spanned(out, done.spanned)
    if done.failures:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in done.failures.items())
        out.print(f"[red]{count(done.failed, 'failure')}[/]: {kinds}; the report names each.")
        _tried_again(out, done.failures)
    folder = done.folder
    out.print(escape(f"\nLook at   {folder / 'report.html'}"))
    if _holds_files(folder / "clips"):
        out.print(escape(f"Clips in  {folder / 'clips'}"))
    out.print(escape(f"Try       longtake select {folder} --keep 'duration_s >= 5'"))


def _holds_files(folder: Place) -> bool:
    return any(folder.glob("*/*.mp4")) if isinstance(folder, Path) else folder.is_dir()


def copies(out: Console, done: Grouped | None) -> None:
    """Print which clips show the same footage."""
    if done is None:
        return
    if done.groups:
        shared = count(done.groups + done.copies, "clip")
        groups = count(done.groups, "group")
        out.print(f"\n{shared} show what others show too, in {groups} (copies.rank: 1 is the best).")
    else:
        out.print(f"\nNo two of {count(done.clips, 'clip')} show the same footage.")
    if done.unscanned:
        out.print(f"{count(done.unscanned, 'clip')} of videos that were never scanned for it: not measured.")


def asked(out: Console, done: Asked) -> None:
    """Print what asking models gave."""
    if done.captions:
        aside = f", {done.quarantined:,} set aside by their checks (the report says why)" if done.quarantined else ""
        out.print(f"{count(done.captions, 'caption')} for {count(done.clips, 'clip')}{aside}.")
    spent = done.spent
    if spent.answers:
        price = f", {money(spent.cost_usd)}" if spent.answers > spent.unpriced else ""
        price += f", {spent.unpriced:,} of unknown price" if spent.unpriced else ""
        tokens = f"{spent.prompt_tokens:,} tokens in, {spent.completion_tokens:,} out"
        rate = f"{spent.answers / done.elapsed_s:.1f} per second"
        out.print(f"{count(spent.answers, 'answer')} in {length(done.elapsed_s)} ({rate}); {tokens}{price}.")
    if done.stopped:
        out.print(Text(f"Stopped asking: {done.stopped}.", "red"), "The same command goes on.")


def captions(done: CaptionedSet) -> None:
    """Print what captioning a set did."""
    out = console()
    if done.imported:
        read = done.imported
        parts = [
            (read.answers, "answers taken"),
            (read.known, "stored before"),
            (read.failed, "failed at the service, still to be asked"),
            (read.strange, "that this set does not ask"),
        ]
        out.print("Batch results: " + (", ".join(f"{n:,} {what}" for n, what in parts if n) or "none") + ".")
    if done.exported:
        written = done.exported
        out.print(f"{count(written.requests, 'request')} written{':' if written.files else '.'}")
        for path in written.files:
            out.print(Text(f"  {path}"))
        if written.failed:
            out.print(Text(f"{count(written.failed, 'clip')} whose pictures could not be taken", "red"))
        if written.requests:
            out.print("Take the answers with --results-from; requests that build on them come after that.")
        elif not written.failed:
            out.print("Every question has its answer.")
    elif done.imported and done.asked and done.estimate.calls:
        out.print(
            f"{count(done.estimate.calls, 'question')} or so without an answer: --requests-to writes them to files;"
        )
        out.print(Text(f"to ask a server instead: longtake caption {done.folder}"))
    if done.asked:
        asked(out, done.asked)
        spanned(out, done.spanned)
        _failed(out, done.asked)
        out.print(escape(f"\nLook at   {done.folder / 'report.html'}"))


def _failed(out: Console, done: Asked) -> None:
    """Print how many clips models could not be asked about, and what to do next."""
    if done.failed:
        out.print(f"[red]{count(done.failed, 'clip')} failed[/] ({_kinds(done.failures)}); the report says why.")
    if done.passed_over:
        number = count(done.passed_over.total(), "clip")
        out.print(f"[red]{number} failed before[/] ({_kinds(done.passed_over)}), not tried again; the report says why.")
    kinds = sorted(done.failures | done.passed_over)
    _tried_again(out, kinds)
    if lasting := [f"--retry-failed {kind}" for kind in kinds if kind not in PASSING]:
        out.print(f"Once the reason is mended: the same command with {' '.join(lasting)}.")


def _tried_again(out: Console, kinds: Iterable[str]) -> None:
    """Print which kinds of failures need nothing but another try."""
    if passing := [kind for kind in kinds if kind in PASSING]:
        out.print(f"The same command tries again: {', '.join(passing)}.")


def _kinds(failures: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in sorted(failures.items()))


def exported(done: Exported) -> None:
    """Print what an export holds."""
    out = console()
    if done.was_there:
        out.print("This export was made before; nothing was written.")
    splits = ", ".join(f"{number:,} {name}" for name, number in done.splits.items())
    aside = f" ({splits})" if len(done.splits) > 1 else ""
    held = f"{done.bytes / 1e6:,.1f} MB, " if done.spans is None else ""
    what = count(done.clips, "clip") if done.spans is None else count(done.spans, "span")
    out.print(f"[bold]{what}[/]{aside}, {held}as {done.format}.")
    if done.left_out:
        out.print(f"{count(done.left_out, 'span')} left out, which the format can't hold or its parameters don't want.")
    if done.without_file:
        out.print(f"{count(done.without_file, 'kept clip')} without a file left out; longtake run writes them.")
    if done.too_short:
        out.print(f"{count(done.too_short, 'kept clip')} too short for so many frames left out.")
    if done.without_caption and done.without_caption == done.clips:
        out.print("[yellow]No clip has a caption that this format takes[/]; longtake caption makes them.")
    elif done.without_caption:
        out.print(f"{count(done.without_caption, 'clip')} without a caption that this format takes.")
    for kind, models in done.mixed.items():
        by = ", ".join(f"{number:,} by {escape(name)}" for name, number in models.items())
        out.print(f"[yellow]The captions {escape(kind)} are of several models[/]: {by}.")
    out.print(escape(f"\nLook at   {done.folder}"))


def removed(done: Removed) -> None:
    """Print what was removed from a set, and who else holds it."""
    out = console()
    parts = [(done.clips, "clip"), (done.files, "clip file"), (done.captions, "caption")]
    gone = "".join(f", {count(number, what)}" for number, what in parts)
    out.print(f"[bold]Removed {count(len(done.videos), 'video')}[/]{gone}.")
    for name in done.videos:
        out.print(Text(f"  {name}"))
    out.print(Text(f"Later runs leave them out: {done.folder / REMOVED}"))
    if done.copies:
        out.print("\nThese show some of the same footage, and stay; the next run chooses anew among them:")
        for name in done.copies:
            out.print(Text(f"  {name}"))
    if done.exports:
        hold = "hold" if len(done.exports) != 1 else "holds"
        out.print(f"\n[yellow]{count(len(done.exports), 'export')} made before still {hold} something of them.[/]")
        out.print("Remove each folder and its copies, then make it anew:")
        for export in done.exports:
            out.print(Text(f"  {export.command}"))
