"""In the form of Charades-STA."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Grounded
from longtake.exports._spans import Names, is_unique, to_ms
from longtake.exports._text import TextFiles, csv_header, on_one_line, to_csv

VERSION = 1


def charades_sta(
    videos: Iterable[Grounded], folder: Path, *, names: str = "file", unique: bool = False
) -> Counter[str]:
    """Spans as lines of text, as Charades-STA (arXiv 1705.02101) has it: `VIDEO START END##SENTENCE`.

    Layout: `train.txt` and `train_durations.csv`, and the same for every other split. Times are seconds of the whole
    video, to the millisecond. Each sentence is on one line: newlines are blanks. Readers cut lines at `##`, so in a
    sentence two or more `#` in a row become one. The table has for each video its `id`, its `length` in seconds, under
    the names that Charades gives them, and `file`, the path it was read from.

    The form knows no negative spans: a sentence may hold elsewhere in the video too, unless `unique` is set.

    names: what videos are called: `file`, by their file names without extension, or `id`, by their ids in the set. A
        file name with a blank in it is refused, since lines are cut at blanks.
    unique: only sentences whose negative span is the whole video, so that they hold once in it.
    """
    left_out: Counter[str] = Counter()
    known = Names(names, blanks=False)
    with TextFiles(folder) as lines, TextFiles(folder, first=csv_header(("id", "length", "file"))) as durations:
        for video in videos:
            spans = [span for span in video.spans if not unique or is_unique(video, span)]
            left_out[video.split] += len(video.spans) - len(spans)
            if not spans:
                continue
            name = known.of(video)
            row = (name, to_ms(video.video["duration_s"]), video.video["path"])
            durations.write(f"{video.split}_durations.csv", to_csv(row))
            for span in spans:
                sentence = re.sub("##+", "#", on_one_line(span["text"]))
                line = f"{name} {to_ms(span['start_s'])} {to_ms(span['end_s'])}##{sentence}\n"
                lines.write(f"{video.split}.txt", line)
    return left_out
