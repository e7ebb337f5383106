"""A run as it goes: its plan before the first decode, then how far it has come."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from longtake.recipe import Recipe
from longtake.show.words import console, count, length, money
from longtake.watch import Estimate, Plan, Progress

PLAIN_EVERY_S = 10.0
UNNAMED = "unnamed"
"""What a recipe is called that gives itself no name."""
DOING = {
    "list": "Reading",
    "fetch": "Fetching",
    "load": "Loading",
    "scan": "Scanning",
    "merge": "Joining",
    "copies": "Comparing",
    "vote": "Voting",
    "judge": "Judging",
    "write": "Writing",
    "verify": "Looking",
    "caption": "Captioning",
    "texts": "Embedding",
    "ground": "Grounding",
    "export": "Exporting",
}


class Live:
    """Prints a run's plan, then how far it is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self.console = console(stderr=True)
        self.bar: Bar | None = None
        self.task: TaskID | None = None
        self.phase = ""
        self.said_s = 0.0
        self.ended: tuple[str, int] | None = None
        """The phase whose end was told, and how much it was."""

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __call__(self, news: Plan | Progress | Estimate) -> None:
        """Show what is new."""
        if isinstance(news, Plan):
            plan(self.console, news)
        elif isinstance(news, Estimate):
            asking_plan(self.console, news)
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
            words = TextColumn("{task.fields[words]}", markup=False)
            self.bar = Bar(TextColumn("{task.description:<10}"), BarColumn(32), words, console=self.console)
            self.bar.start()
            self.task = self.bar.add_task(DOING[news.phase], total=1.0, words="")
        assert self.bar is not None and self.task is not None
        self.bar.update(self.task, completed=share(news), words=progress_words(news))

    def _say(self, news: Progress) -> None:
        now = time.monotonic()
        ended = (news.phase, news.total) if news.done == news.total else None
        if ended == self.ended and ended:
            return
        self.ended = ended
        if ended or now - self.said_s >= PLAIN_EVERY_S:
            self.said_s = now
            self.console.print(f"{DOING[news.phase]}: {progress_words(news)}", markup=False)


def share(news: Progress) -> float:
    """Return how much is done, in [0, 1]: by seconds of video where they are known, else by items."""
    if news.done == news.total:
        return 1.0
    if not news.total:  # nobody knows how many there are
        return 0.0
    by_items = news.done / max(1, news.total)
    return min(0.99, news.reached_s / news.total_s) if news.total_s else by_items


def progress_words(news: Progress) -> str:
    """Return `12 of 40, 1 failed, 83x real time, 40.0 s left`."""
    words = [f"{news.done:,} of {news.total:,}" if news.total or not news.done else f"{news.done:,}"]
    if news.failed:
        words.append(f"{news.failed:,} failed")
    if news.words:
        words.append(news.words)
    elif news.elapsed_s > 1 and news.reached_s:
        words.append(f"{news.reached_s / news.elapsed_s:.1f} video-hours per hour")
    done = share(news)
    if news.done == news.total:
        words.append(f"in {length(news.elapsed_s)}")
    elif news.elapsed_s > 2 and done > 0.02:
        words.append(f"about {length(news.elapsed_s / done * (1 - done))} left")
    return ", ".join(words)


def plan(out: Console, news: Plan) -> None:
    """Print what a run is going to do."""
    recipe = news.recipe
    source = f"({recipe.source})" if recipe.source else ""
    about = " ".join(words for words in (recipe.about, source) if words)
    aside = _aside(
        [
            (news.removed, "removed for good"),
            (news.copies, f"{'copy' if news.copies == 1 else 'copies'} left out"),
            (news.others, f"other file{'' if news.others == 1 else 's'} left alone"),
        ]
    )
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
        *([("engine", news.engine)] if news.engine else []),
        ("signals", f"{', '.join(recipe.signals)}; shots by {recipe.shots.step.name}"),
        *([("voters", f"{', '.join(recipe.voters)}, on every transition")] if recipe.voters else []),
        *([("copies", f"looked for by {recipe.copies.signal}; best: {recipe.copies.best}")] if recipe.copies else []),
        ("rules", rules),
        ("captions", ", ".join(recipe.captions) or "none"),
        *(("not run", missing) for missing in [*recipe.not_run, *without_model(recipe)]),
        ("set", news.folder),
        *(("note", words) for words in news.notes),
    ]
    name = "A recipe without a name" if recipe.name == UNNAMED else recipe.name
    out.print(f"[bold]{escape(name)}[/]{': ' if about else ''}{escape(about)}")
    for name, words in lines:
        style = "yellow" if name in ("not run", "note") else "dim"
        out.print(f"  [{style}]{name:<9}[/]{escape(words)}")


def without_model(recipe: Recipe) -> list[str]:
    """Say which voters, judges and captioners a run leaves out because they ask a model and none is configured."""
    waiting = [
        f"{kind} {use.label}" if kind != use.label else kind
        for kind, uses in (("voter", recipe.voters), ("judge", recipe.judges), ("captions", recipe.captions))
        for use in uses.values()
        if recipe.waits(use)
    ]
    return [f"{' and '.join(waiting)}: no model; give one with --url"] if waiting else []


def asking_plan(out: Console, news: Estimate) -> None:
    """Print what captioning is going to ask."""
    lines = [("captions", ", ".join(news.captioners) or "none")]
    if news.waiting:
        lines.append(("waiting", f"{', '.join(news.waiting)}: no model; give one with --url and --model"))
    if news.calls:
        stored = f", {news.answered:,} answered before" if news.answered else ""
        price = "unknown" if news.cost_usd is None else f"about {money(news.cost_usd)}"
        lines += [
            (
                "to ask",
                f"{count(news.calls, 'call')} about {count(news.clips, 'clip')}, {news.frames:,} frames{stored}",
            ),
            ("tokens", f"about {news.prompt_tokens:,} in, {news.completion_tokens:,} out; price {price}"),
        ]
        if news.seconds is not None:
            lines.append(("time", f"about {length(news.seconds)}, as long as answers took so far"))
    else:
        lines.append(("to ask", "nothing"))
    out.print(f"[bold]{escape(news.folder)}[/]: {count(news.kept, 'kept clip')}")
    for name, words in lines:
        out.print(f"  [{'yellow' if name == 'waiting' else 'dim'}]{name:<9}[/]{escape(words)}")


def _aside(parts: Sequence[tuple[int, str]]) -> str:
    words = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f" ({words})" if words else ""
