"""What joining sets gave."""

from rich.markup import escape
from rich.text import Text

from longtake.merging import Merged
from longtake.show.funnels import funnel
from longtake.show.results import copies
from longtake.show.spans import spanned
from longtake.show.words import console, count

TOLD = 5


def merged(done: Merged) -> None:
    """Print what the sets gave, what is there twice, and what is lacking."""
    out = console()
    out.print()
    funnel(out, done.funnel)
    copies(out, done.grouped)
    spanned(out, done.spanned)
    came = f"{done.came:,} of them new" if done.came else "none of them new"
    out.print(f"\n[bold]{count(done.videos, 'video')}[/], {came}; kept {count(done.funnel[-1].clips, 'clip')}.")
    files = done.files
    if files.files:
        copied = f", {files.copied_bytes / 1e6:,.1f} MB of them copied" if files.copied_bytes else ""
        out.print(f"{count(files.files, 'file')} brought{copied}.")
    if done.twice:
        more = ", ..." if len(done.twice) > TOLD else ""
        out.print(Text(f"{count(len(done.twice), 'video')} in several sets: {', '.join(done.twice[:TOLD])}{more}"))
    if done.removed:
        out.print(f"{count(done.removed, 'video')} left out, removed from one of the sets for good.")
    if done.swept:
        out.print(f"{count(done.swept, 'clip file')} removed, of clips no longer kept.")
    if files.missing:
        out.print(f"[red]{count(files.missing, 'clip file')} not there[/]; longtake run writes them again.")
    if done.samples:
        out.print(f"Samples drawn for judging stay behind ({count(done.samples, 'clip')}); judgements came along.")
    if done.waiting:
        out.print(Text(f"Repeated texts over the whole set are looked for by: longtake caption {done.folder}"))
    if done.lacking:
        out.print(Text(f"Shards that no set is of: {', '.join(done.lacking)}", "yellow"))
    out.print(escape(f"\nLook at   {done.folder / 'report.html'}"))
