"""One call's workers, from the first to the last, and what those who watch are told of them."""

import threading
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from longtake.fetching.addresses import is_page
from longtake.fetching.bringing import Manner, Shared
from longtake.fetching.examine import Examiners
from longtake.fetching.hosts import PAGE_RATE, RATE, STORE_RATE, Host
from longtake.fetching.http import Plain
from longtake.fetching.ledger import Ledger, Wanted
from longtake.fetching.meter import Flow, Limits, free_bytes, in_words
from longtake.fetching.objects import ObjectParts
from longtake.fetching.states import FAILED, Fetched, FetchError
from longtake.fetching.tally import Tally
from longtake.fetching.turns import Turns
from longtake.fetching.worker import work
from longtake.places import is_remote, lacking
from longtake.shards import Part
from longtake.watch import Progress, Watch

TELL_S = 0.5
"""How often those who watch are told."""
END_S = 10.0
"""For how long workers that are to stop are waited for; they may hang on a host that says nothing."""
SAMPLE = 5
"""Videos whose sizes are asked for, to guess at those of all."""
FEW = 20
"""Fewer videos than this need no guess."""


class Run:
    """Fetches what is wanted in a folder."""

    def __init__(
        self, folder: Path, ledger: Ledger, part: Part, *, manner: Manner, limits: Limits, rate: float | None
    ) -> None:
        self.part = part
        self.flow = Flow(folder, limits, stored=ledger.stored())
        self.tally = Tally(ledger.counts(part))
        installed = find_spec("yt_dlp") is not None
        hosts = [_host(name, rate, installed) for name, _ in ledger.hosts(part)]
        turns = Turns(hosts, self._supply, stopping=self.flow.closing)
        self.shared = Shared(folder, ledger, turns, self.flow, self.tally, Examiners(), manner, installed)
        self._mean_bytes = 0.0
        """Guessed size of a video; 0 for no idea."""

    def fetch(self, workers: int, watch: Watch) -> Fetched:
        """Fetch till nothing is left to ask for, or it is time to stop. Raises `UsageError`, `KeyboardInterrupt`."""
        began = time.monotonic()
        try:
            self._guess()
            watch(self._progress(began))
            with self.shared.examiners:
                self._work(workers, watch, began)
        except KeyboardInterrupt:
            self.flow.stop("stopped by you")
            raise
        if self.shared.fault:
            raise self.shared.fault
        return Fetched(
            self.shared.folder,
            self.tally.counts(),
            hosts=self.shared.turns.closed(),
            stopped=self.flow.words,
            came=self.tally.came,
            came_bytes=self.flow.came,
            notes=_wholes(self.tally.wholes),
        )

    def _work(self, workers: int, watch: Watch, began: float) -> None:
        """Let workers work; whatever ends this ends them too, but for those who hang."""
        threads = [threading.Thread(target=work, args=(self.shared,), daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(TELL_S)
                    watch(self._progress(began))
                    if self.flow.ended.is_set():
                        return
        finally:
            self.flow.stop("stopped by you" if any(thread.is_alive() for thread in threads) else "")
            end = time.monotonic() + END_S
            for thread in threads:
                thread.join(max(0.0, end - time.monotonic()))

    def _supply(self, host: str, after: int, most: int) -> list[Wanted]:
        return self.shared.ledger.wanted(host, self.part, after=after, most=most)

    def _guess(self) -> None:
        """Guess how large a video is: from those that are here, else by asking hosts for the sizes of a few."""
        counts = self.tally.counts()
        done, wanted = counts.get("done", 0), counts.get("wanted", 0)
        if done >= FEW:
            self._mean_bytes = self.flow.stored / done
        elif wanted >= FEW and not self.shared.manner.spans:  # of spans no host tells how large they are
            sizes = self._sizes()
            self._mean_bytes = sum(sizes) / len(sizes) if sizes else 0.0

    def _sizes(self) -> list[int]:
        manner = self.shared.manner
        plain = Plain(proxy=manner.proxy, cookies=manner.cookies, allow_private=manner.allow_private)
        found = []
        try:
            for wanted in self.shared.ledger.sample(self.part, SAMPLE):
                if is_page(wanted.host) or (is_remote(wanted.url) and lacking(wanted.url)):
                    continue
                try:
                    far = is_remote(wanted.url)
                    found.append(ObjectParts(wanted.url).size() if far else plain.size(wanted.url) or 0)
                except FetchError:  # told when its turn comes; a guess is worth no further waiting
                    break
        finally:
            plain.close()
        return [size for size in found if size]

    def _progress(self, began: float) -> Progress:
        """Say how far it has come: what came and how fast, what didn't and why, what is to come."""
        counts, elapsed = self.tally.counts(), time.monotonic() - began
        done, wanted = counts.get("done", 0), counts.get("wanted", 0)
        if self.tally.came >= FEW:
            self._mean_bytes = self.flow.stored / done
        said = [f"{in_words(self.flow.came)}, {in_words(self.flow.came / max(elapsed, TELL_S))}/s"]
        said += [f"{counts[state]} {state}" for state in FAILED if state in counts]
        if self._mean_bytes and wanted:
            due, free = self._mean_bytes * wanted, free_bytes(self.shared.folder)
            said.append(f"about {in_words(due)} to come, {in_words(free)} free")
        said += [f"{host} is left alone" for host in self.shared.turns.closed()]
        total = sum(counts.values())
        return Progress("fetch", done, total, self.tally.failed, 0.0, 0.0, elapsed, ", ".join(said))


def _wholes(wholes: Mapping[str, int]) -> tuple[str, ...]:
    """Say how many videos came whole of which only spans were asked for, and why."""
    if not wholes:
        return ()
    said = ", ".join(f"{why} ({count})" for why, count in sorted(wholes.items(), key=lambda one: -one[1]))
    return (f"came whole, though only spans were asked for: {sum(wholes.values())}: {said}",)


def _host(name: str, rate: float | None, installed: bool) -> Host:
    """Return a host at the beginning of a call."""
    page, store = is_page(name), is_remote(name)
    host = Host(name, rate or (PAGE_RATE if page else STORE_RATE if store else RATE))
    if store:
        host.closed = lacking(name)
    if page and not installed:
        host.closed = f"{name} shows videos on pages; pip install 'longtake[download]' to get them"
    return host
