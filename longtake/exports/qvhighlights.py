"""In the form of QVHighlights."""

import itertools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from longtake.errors import UsageError
from longtake.exports import Grounded
from longtake.exports._spans import Names, Piece, piece_of
from longtake.exports._text import TextFiles, to_json

VERSION = 1
CLIP_MS = 2000
"""QVHighlights counts time in clips of two seconds."""
PEOPLE = 3
OUTSIDE = 2
"""Clips besides the window that Moment-DETR draws from in files without scores; it fails where there are fewer."""


def qvhighlights(
    videos: Iterable[Grounded], folder: Path, *, longest_s: float = 150.0, saliency: int = 0, names: str = "file"
) -> Counter[str]:
    """One JSON object a line and span, as QVHighlights (arXiv 2107.09609) has it, on pieces of the videos.

    Layout: `subs_train/train.jsonl`, or with `saliency` set `train.jsonl`, and the same for every other split. Format:
    data/README.md of jayleicn/moment_detr. QVHighlights is made of pieces of 150 s; here each span gets a piece of its
    negative span, so that the sentence holds once in it. Cut the pieces from the videos by their names.

    qid: a number from 0 on, unique in the export.
    query: the sentence, as it is in the set.
    vid: `VIDEO_START_END`, the piece in seconds of the video. Its place around the positive is drawn by a hash.
    duration: seconds of the piece: a multiple of two wherever the negative span has room for that.
    relevant_windows: one, the positive in seconds of the piece, to the millisecond.
    relevant_clip_ids: the clips of two seconds that the window touches; an unfinished one at the end doesn't count.
    saliency_scores: there are none, for nobody was asked. Moment-DETR reads a file without them where its path has
        `subs_train` in it, hence the folder; spans with fewer than two clips besides the window are left out there,
        for that reader fails on them.

    longest_s: seconds that a piece has at most, unless the positive is longer; 0: all of the video, where the sentence
        may hold elsewhere too.
    saliency: 1 to 4: written as all three people's score of every relevant clip, for readers that insist on scores.
        They are made up: nothing that is evaluated by them means anything.
    names: what videos are called: `file`, by their file names without extension, or `id`, by their ids in the set.
    """
    if not 0 <= saliency <= 4 or longest_s < 0:
        raise UsageError(f"saliency={saliency}, longest_s={longest_s:g}: from 0 to 4, and 0 or more")
    left_out: Counter[str] = Counter()
    known, numbers = Names(names), itertools.count()
    with TextFiles(folder) as files:
        for video in videos:
            for span in video.spans:
                piece = piece_of(video, span, longest_s, step=CLIP_MS)
                clips = relevant_clips(piece)
                if not saliency and piece.length // CLIP_MS - len(clips) < OUTSIDE:
                    left_out[video.split] += 1
                    continue
                row = {
                    "qid": next(numbers),
                    "query": span["text"],
                    "duration": _plain(piece.length),
                    "vid": f"{known.of(video)}_{piece.start / 1000}_{piece.end / 1000}",
                    "relevant_clip_ids": clips,
                    "saliency_scores": [[saliency] * PEOPLE] * len(clips),
                    "relevant_windows": [list(piece.window)],
                }
                if not saliency:
                    del row["saliency_scores"]
                files.write(f"{'' if saliency else 'subs_train/'}{video.split}.jsonl", to_json(row) + "\n")
    return left_out


def relevant_clips(piece: Piece) -> list[int]:
    """Return the numbers of the whole clips that a piece's positive touches; never none."""
    first, end = piece.positive_start - piece.start, piece.positive_end - piece.start
    last = max(0, piece.length // CLIP_MS - 1)
    return list(range(min(first // CLIP_MS, last), min(-(-end // CLIP_MS) - 1, last) + 1))


def _plain(ms: int) -> float:
    """Return milliseconds as seconds; whole ones as the format has them."""
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
