"""In the form of ActivityNet-Captions."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Grounded
from longtake.exports._spans import Names, is_unique, to_ms
from longtake.exports._text import TextFiles, to_json

VERSION = 1


def activitynet(videos: Iterable[Grounded], folder: Path, *, names: str = "file", unique: bool = False) -> Counter[str]:
    """One JSON object of all videos with their sentences, as ActivityNet-Captions (arXiv 1705.00754) has it.

    Layout: `train.json`, and the same for every other split: `{VIDEO: {"duration": s, "timestamps": [[start, end],
    ...], "sentences": [text, ...]}}`, in order of time. VTimeLLM (huangb23/VTimeLLM) evaluates on such files. Times are
    seconds of the whole video, to the millisecond. Videos without a good span are left out.

    The form knows no negative spans: a sentence may hold elsewhere in the video too, unless `unique` is set.

    names: what videos are called: `file`, by their file names without extension, or `id`, by their ids in the set.
    unique: only sentences whose negative span is the whole video, so that they hold once in it.
    """
    left_out: Counter[str] = Counter()
    known = Names(names)
    with TextFiles(folder, first="{\n", between=",\n", last="\n}\n") as files:
        for video in videos:
            spans = [span for span in video.spans if not unique or is_unique(video, span)]
            left_out[video.split] += len(video.spans) - len(spans)
            if not spans:
                continue
            said = {
                "duration": to_ms(video.video["duration_s"]),
                "timestamps": [[to_ms(span["start_s"]), to_ms(span["end_s"])] for span in spans],
                "sentences": [span["text"] for span in spans],
            }
            files.write(f"{video.split}.json", to_json({known.of(video): said})[1:-1])
    return left_out
