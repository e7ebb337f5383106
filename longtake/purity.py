"""How pure a set's clip files are: in how many a second look found no transition, and how sure that makes us.

An estimate by the detector that chose the clips, on their re-encoded frames: what it can't see, it misses twice.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from longtake.clip_facts import FILE_FACTS
from longtake.store import score_columns

Z = 1.959964
"""The normal distribution's 97.5 % quantile, for an interval of 95 %."""
LONG_S = 10.0
"""From here on a clip is a long take, as in LVD-2M."""
COLUMNS = ("duration_s", "file", "rejected_by", "file_transitions", "transitions")
"""What is read of `clips`."""


@dataclass(frozen=True, slots=True)
class Purity:
    """In how many of some files a look found no transition."""

    files: int
    clean: int

    @property
    def share(self) -> float:
        """The clean share, 0 to 1; 0 of no files."""
        return self.clean / self.files if self.files else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the true share, were each file drawn on its own."""
        return wilson(self.clean, self.files)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{_percent(self.share)} % (95 % interval {_percent(low)} to {_percent(high)} %)"


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What the second look found in the files that a set wrote."""

    every: Purity
    """All files looked at, also those that a rule about the look removed again."""
    long: Purity
    """Those of `LONG_S` and more."""
    removed: int
    """Files that such a rule removed: they count above, or the share would be the rule's and not the set's."""
    unseen: int
    """Files not looked at."""
    joined: bool = False
    """Whether shots were joined in some: what lies between those is known, and not counted."""

    def words(self) -> list[str]:
        """Return it as sentences; none where there is no file."""
        every, long, found = self.every, self.long, self.every.files - self.every.clean
        said = []
        if every.files:
            of = "hold" if every.files != 1 else "holds"
            which = _files(every.files) + (f" of {LONG_S:g} s and more" if long == every else "")
            beyond = " beyond those where shots were joined" if self.joined else ""
            said.append(f"Second look: {every.clean:,} of {which} {of} no transition{beyond}: {every}.")
            if long.files and long != every:
                said.append(f"Of {LONG_S:g} s and more: {long.clean:,} of {_files(long.files)}: {long}.")
            said.append("By the recipe's own detector: no person checked, and what it can't see it misses twice.")
        if found > self.removed:
            said.append(
                "Those with a transition are marked in the report; the rule 'file_transitions <= 0' drops them."
            )
        if self.removed:
            said.append(f"With a transition, and removed by a rule: {_files(self.removed)}.")
        if self.unseen:
            said.append(f"Not looked at a second time: {_files(self.unseen)}.")
        return said


def second_look(clips: pa.Table) -> SecondLook:
    """Return what the second look found, from the `COLUMNS` of all clips of a set."""
    columns = score_columns(clips.select(["duration_s", "file_transitions"]))
    found, long = columns["file_transitions"], columns["duration_s"] >= LONG_S
    has_file = clips["file"].is_valid().to_numpy()
    seen = ~np.isnan(found)
    reasons = [text for text in pc.unique(clips["rejected_by"]).to_pylist() if _about_the_file(text)]
    about_file = pc.is_in(clips["rejected_by"], pa.array(reasons, pa.string()))
    removed = seen & ~has_file & np.asarray(about_file.to_numpy(), bool)
    counted = (seen & has_file) | removed
    every, only_long = (Purity(int(part.sum()), int((part & (found == 0)).sum())) for part in (counted, counted & long))
    joined = bool((score_columns(clips.select(["transitions"]))["transitions"] > 0).any())
    return SecondLook(every, only_long, int(removed.sum()), int((has_file & ~seen).sum()), joined)


def _about_the_file(rejected_by: str | None) -> bool:
    return (rejected_by or "").partition(" ")[0] in FILE_FACTS


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share of `hits` in `n`; all of 0 to 1 where `n` is 0.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927. It also holds
    for few files, and where all of them or none are hits.
    """
    if n == 0:
        return 0.0, 1.0
    share = hits / n
    middle = share + Z**2 / (2 * n)
    half = Z * (share * (1 - share) / n + Z**2 / (4 * n**2)) ** 0.5
    low, high = ((middle + side * half) / (1 + Z**2 / n) for side in (-1, 1))
    # Of none or all the one end is exact, and rounding would miss it.
    return (max(0.0, low) if hits else 0.0), (min(1.0, high) if hits < n else 1.0)


def _percent(share: float) -> str:
    """Return `97.4`, `100`; a share below one is never rounded to all."""
    return f"{min(round(100 * share, 1), 99.9 if share < 1 else 100.0):g}"


def _files(n: int) -> str:
    return f"{n:,} file" + ("" if n == 1 else "s")
