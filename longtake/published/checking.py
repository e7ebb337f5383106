"""Which records of a published file break which invariant."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from longtake.errors import UsageError
from longtake.grounding._broken import INVARIANTS, Known
from longtake.published.reading import BadLine, Lines, Matrix, Record, read_scenes, read_similarity, read_spans
from longtake.sources.files import ENDINGS

NEED_SCENES = ("scene numbers", "never compared")
NEED_SIMILARITY = ("similar inside",)
EXAMPLES = 3

Scenes = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that can be wrong with a record, and with how many it is."""

    invariant: str
    meaning: str
    records: int
    examples: tuple[Record, ...]
    """The first of them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a published file found."""

    path: Path
    records: int
    videos: int
    sound: int
    """Records that break nothing of what could be tested."""
    broken: tuple[Broken, ...]
    """All that was tested, in order, whether or not a record breaks it."""
    not_tested: tuple[str, ...]
    """What could not be tested for want of scenes or similarities."""
    without_scenes: int
    """Records of videos that the file of scenes lacks, or has none of: the published form of one without a cut."""
    without_similarity: int
    """Records of videos that the file of similarities lacks, or has an empty matrix of, or one of more scenes."""
    blank: int
    """Empty lines, of all the files."""
    bad_lines: tuple[BadLine, ...]
    """Lines that could not be read, of all the files."""


def check_spans(
    path: str | Path,
    scenes: str | Path | None = None,
    similarity: str | Path | None = None,
    *,
    similar_above: float = 0.8,
) -> Checked:
    """Return how many records of a `final_dataset.jsonl`, or of a released file, break which invariant.

    `scenes` is the file of merged scenes and `similarity` that of their similarities, on whose numbers scenes from
    `similar_above` on look the same. All records are in memory at once, matrices one at a time. Raises `UsageError`.
    """
    if similarity is not None and scenes is None:
        raise UsageError("similarities of scenes say nothing without the scenes: give the file of scenes too")
    lines = [Lines(Path(file)) for file in (path, scenes, similarity) if file is not None]
    videos: dict[str, list[Record]] = {}
    for record in read_spans(lines[0]):
        videos.setdefault(_plain(record.span.video), []).append(record)
    known = {_plain(name): found for name, found in read_scenes(lines[1])} if scenes is not None else {}
    tally = _Tally(similar_above)
    waiting = dict(videos)
    for name, matrix in read_similarity(lines[2]) if similarity is not None else ():
        if 0 < len(matrix) <= len(known.get(_plain(name), ())) and _plain(name) in waiting:
            tally.add(waiting.pop(_plain(name)), known[_plain(name)], matrix)
    without_similarity = sum(len(records) for records in waiting.values()) if similarity is not None else 0
    for name, records in waiting.items():
        tally.add(records, known.get(name, ()), None)
    untested = {*(NEED_SCENES if scenes is None else ()), *(NEED_SIMILARITY if similarity is None else ())}
    return Checked(
        path=Path(path),
        records=tally.records,
        videos=len(videos),
        sound=tally.sound,
        broken=tally.result([name for name in INVARIANTS if name not in untested]),
        not_tested=tuple(name for name in INVARIANTS if name in untested),
        without_scenes=sum(len(some) for name, some in videos.items() if not known.get(name)) if scenes else 0,
        without_similarity=without_similarity,
        blank=sum(file.blank for file in lines),
        bad_lines=tuple(bad for file in lines for bad in file.bad),
    )


class _Tally:
    """Counts what is broken, and keeps the first examples."""

    def __init__(self, similar_above: float) -> None:
        self.similar_above = similar_above
        self.records = self.sound = 0
        self._counts = dict.fromkeys(INVARIANTS, 0)
        self._examples: dict[str, list[Record]] = {name: [] for name in INVARIANTS}

    def add(self, records: Sequence[Record], scenes: Scenes, similarity: Matrix | None) -> None:
        """Check all records of one video."""
        known = Known([record.span for record in records], scenes, similarity)
        for record in records:
            wrong = known.broken(record.span, similar_above=self.similar_above)
            self.records += 1
            self.sound += not wrong
            for name in wrong:
                self._counts[name] += 1
                self._examples[name].append(record)
                self._examples[name].sort(key=lambda one: one.line)
                del self._examples[name][EXAMPLES:]

    def result(self, names: Sequence[str]) -> tuple[Broken, ...]:
        """Return what was found about some invariants."""
        return tuple(Broken(name, INVARIANTS[name], self._counts[name], tuple(self._examples[name])) for name in names)


def _plain(video: str) -> str:
    """Return a video's name without what says that it is a video: InternVid's own records name it so."""
    path = PurePath(video)
    return path.stem if path.suffix[1:].lower() in ENDINGS else path.name
