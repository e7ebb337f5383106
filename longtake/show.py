"""How the command line looks: plans, progress, funnels and tables; plain text where there is no terminal."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from longtake import recipe as recipe_module
from longtake import steps as steps_module
from longtake.doctor import Finding
from longtake.errors import UsageError
from longtake.running import Choice, RunResult
from longtake.select import FunnelRow
from longtake.watch import Plan, Progress

PLAIN_WIDTH = 110
PLAIN_EVERY_S = 10.0
DOING = {"scan": "Scanning", "write": "Writing", "verify": "Looking"}


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else PLAIN_WIDTH)


def length(seconds: float) -> str:
    """Return a duration for people: `7.5 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def count(number: int, what: str) -> str:
    """Return `1 clip`, `2 clips`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


class Live:
    """Prints a run's plan, then how far it is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self.console = _console(stderr=True)
        self.bar: Bar | None = None
        self.task: TaskID | None = None
        self.phase = ""
        self.said_s = 0.0

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __call__(self, news: Plan | Progress) -> None:
        """Show what is new."""
        if isinstance(news, Plan):
            plan(self.console, news)
        elif self.console.is_terminal:
            self._draw(news)
        else:
            self._say(news)

    def _end(self) -> None:
        if self.bar:
            self.bar.stop()
            self.bar = None

    def _draw(self, news: Progress) -> None:
        if news.phase != self.phase:
            self._end()
            self.phase = news.phase
            words = TextColumn("{task.fields[words]}")
            self.bar = Bar(TextColumn("{task.description:<9}"), BarColumn(32), words, console=self.console)
            self.bar.start()
            self.task = self.bar.add_task(DOING[news.phase], total=1.0, words="")
        assert self.bar is not None and self.task is not None
        self.bar.update(self.task, completed=share(news), words=progress_words(news))

    def _say(self, news: Progress) -> None:
        now = time.monotonic()
        if news.done == news.total or now - self.said_s >= PLAIN_EVERY_S:
            self.said_s = now
            self.console.print(f"{DOING[news.phase]}: {progress_words(news)}")


def share(news: Progress) -> float:
    """Return how much is done, in [0, 1]: by seconds of video where they are known, else by items."""
    if news.done == news.total:
        return 1.0
    by_items = news.done / max(1, news.total)
    return min(0.99, news.reached_s / news.total_s) if news.total_s else by_items


def progress_words(news: Progress) -> str:
    """Return `12 of 40, 1 failed, 83x real time, 40.0 s left`."""
    words = [f"{news.done:,} of {news.total:,}"]
    if news.failed:
        words.append(f"{news.failed:,} failed")
    if news.elapsed_s > 1 and news.reached_s:
        words.append(f"{news.reached_s / news.elapsed_s:.1f} video-hours per hour")
    done = share(news)
    if news.done == news.total:
        words.append(f"in {length(news.elapsed_s)}")
    elif news.elapsed_s > 2 and done > 0.02:
        words.append(f"about {length(news.elapsed_s / done * (1 - done))} left")
    return ", ".join(words)


def plan(console: Console, news: Plan) -> None:
    """Print what a run is going to do."""
    recipe = news.recipe
    source = f" ({recipe.source})" if recipe.source else ""
    aside = _aside([(news.copies, "copies left out"), (news.others, "other files left alone")])
    workers = count(news.workers, "worker")
    todo = [
        (news.done_before, f"{news.done_before:,} already in the set"),
        (news.failed_before, f"{news.failed_before:,} failed before (--retry-failed all tries them again)"),
        (news.to_derive, f"{news.to_derive:,} from stored signals, without a decode"),
        (news.to_scan, f"{news.to_scan:,} to scan, about {length(news.to_scan_s)} of video, {workers}"),
    ]
    rules = ", ".join(str(rule) for rule in recipe.rules) or "none: every clip is kept"
    lines = [
        ("videos", f"{news.videos:,}{aside}"),
        ("to do", "; ".join(words for number, words in todo if number) or "nothing"),
        ("signals", f"{', '.join(recipe.signals)}; shots by {recipe.shots.step.name}"),
        ("rules", rules),
        *(("not run", missing) for missing in recipe.not_run),
        ("set", news.folder),
    ]
    console.print(f"[bold]{escape(recipe.name)}[/]: {escape(recipe.about + source)}")
    for name, words in lines:
        style = "yellow" if name == "not run" else "dim"
        console.print(f"  [{style}]{name:<9}[/]{escape(words)}")


def _aside(parts: Sequence[tuple[int, str]]) -> str:
    words = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f" ({words})" if words else ""


def funnel(console: Console, rows: Sequence[FunnelRow]) -> None:
    """Print what each rule left and took."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, justify in (("", "left"), ("clips", "right"), ("length", "right"), ("rejected", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # one of rich's literals
    for row in rows:
        label = str(row.rule) if row.rule else "clips found"
        rejected = f"{row.rejected:,}" if row.rule else ""
        if row.not_measured:
            rejected += f" ({row.not_measured:,} not measured)"
        table.add_row(label, f"{row.clips:,}", length(row.seconds), rejected)
    console.print(table)


def result(done: RunResult) -> None:
    """Print what a run left."""
    console = _console()
    console.print()
    funnel(console, done.funnel)
    last = done.funnel[-1]
    console.print(f"\n[bold]Kept {count(last.clips, 'clip')}, {length(last.seconds)}.[/]")
    written = done.written
    if written.written or written.verified or written.removed:
        parts = [
            (written.written, "clip files written"),
            (written.verified, "looked at again"),
            (written.removed, "of clips no longer kept removed"),
        ]
        console.print(", ".join(f"{number:,} {what}" for number, what in parts if number) + ".")
    for sentence in done.second_look.words():
        console.print(escape(sentence))
    if done.failures:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in done.failures.items())
        console.print(f"[red]{count(done.failed, 'failure')}[/]: {kinds}; the report names each.")
    folder = done.folder
    console.print(escape(f"\nLook at   {folder / 'report.html'}"))
    console.print(escape(f"Clips in  {folder / 'clips'}"))
    console.print(escape(f"Try       longtake select {folder} --keep 'duration_s >= 5'"))


def selection(choice: Choice) -> None:
    """Print what rules would keep."""
    console = _console()
    funnel(console, choice.funnel)
    kept = count(choice.funnel[-1].clips, "clip")
    console.print(f"\n[bold]Keeps {kept}[/], {choice.before:,} before; took {choice.elapsed_s * 1000:.0f} ms.")
    recipe = escape(str(choice.folder / "recipe.toml"))
    if not choice.saved:
        console.print("Nothing was changed; --save keeps this choice.")
        return
    console.print(f"Saved as the set's rules in {recipe}.")
    if choice.without_file:
        missing = count(choice.without_file, "kept clip")
        folder = escape(str(choice.folder))
        console.print(f"{missing} without a file; to write: longtake run {recipe} VIDEOS --to {folder}")


def shots(found: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print the transitions and shots of videos."""
    if as_json:
        print(json.dumps(found, indent=1))
        return
    console = _console()
    for video in found:
        name = Text(Path(video["video"]).name)
        if "failure" in video:
            console.print(name, Text(f"failed: {video['failure']['message']}", "red"))
            continue
        console.print(name, f"{length(video['duration_s'])}, {count(len(video['shots']), 'shot')}", sep="  ")
        for words in video["damage"]:
            console.print(f"  [yellow]{words}[/]")
        for t in video["transitions"]:
            span = f"{t['start_s']:10.3f} s" + (f" to {t['end_s']:.3f} s" if t["end_frame"] > t["start_frame"] else "")
            console.print(f"  {t['kind']:<9}{span:<28} frame {t['start_frame']}  confidence {t['confidence']:.2f}")


def recipes(name: str | None) -> None:
    """List the recipes, or print one in full."""
    console = _console()
    if name:
        print(recipe_module.load(name).to_toml(), end="")
        return
    for known in recipe_module.names():
        recipe = recipe_module.load(known)
        console.print(f"[bold]{known}[/]  {recipe.about} ({recipe.source})")
        console.print(f"  keeps {', '.join(str(rule) for rule in recipe.rules)}")
        for missing in recipe.not_run:
            console.print(f"  not run: {missing}")


def steps(name: str | None) -> None:
    """List all steps, or all that are named so."""
    console = _console()
    found = 0
    for kind in steps_module.KINDS:
        known = [step for step in steps_module.names(kind) if name in (None, step)]
        if known:
            console.print(f"[bold]{kind}[/]")
        for step_name in known:
            step = steps_module.find(kind, step_name)
            first, *rest = step.doc.splitlines()
            console.print(f"  {step_name:<12}{first}", markup=False)
            if name:
                for line in rest:
                    console.print(f"  {'':<12}{line}", markup=False)
                for parameter, default in step.defaults.items():
                    console.print(f"  {'':<12}{parameter} = {default!r}", markup=False)
                if step.signal:
                    console.print(f"  {'':<12}reads the signal {step.signal}", markup=False)
                if step.needs:
                    console.print(f"  {'':<12}needs {', '.join(step.needs.values())}", markup=False)
            found += 1
    if not found:
        known_names = {step for kind in steps_module.KINDS for step in steps_module.names(kind)}
        raise UsageError(f"no step {name!r}{steps_module.nearest(name or '', known_names)}")


def findings(found: Sequence[Finding]) -> None:
    """Print what the doctor found."""
    console = _console()
    for finding in found:
        mark = "[green]ok[/]  " if finding.ok else "[red]look[/]"
        console.print(f"{mark} {finding.what:<10}", end="")
        console.print(finding.found, markup=False)
