"""Whatever a file holds: clips that keep what `Listed` promises, bad rows, or `UsageError`, and nothing else."""

import json
import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from listing import YOUTUBE

from longtake.errors import UsageError
from longtake.sources import BadRow
from longtake.sources.lists import from_json, read_list, to_json
from longtake.sources.lists._names import is_safe

COLUMNS = (
    *("key", "video_id", "url", "span", "orig_span", "scene_cut", "dataset_src", "raw_caption", "video_time", "fps"),
    *(
        "clip_id",
        "video_url",
        "timestamp",
        "framestamp",
        "source",
        "index",
        "start_frame",
        "end_frame",
        "dense_caption",
    ),
    *("video", "start_sec", "end_sec", "captions", "caption", "YoutubeID", "Start_timestamp", "End_timestamp", "clip"),
    *("videoID", "matching_score", "start", "end", "total score", "longtake", "dataset", "row", "fields", ""),
)
FORMS = (
    ("key", "video_id", "url", "span", "raw_caption"),
    ("key", "video_id", "url", "orig_span", "scene_cut", "video_time", "fps"),
    ("clip_id", "video_url", "timestamp", "framestamp", "fps", "source", "dense_caption"),
    ("index", "video_id", "start_frame", "end_frame", "fps"),
    ("video", "start_sec", "end_sec", "caption"),
    ("YoutubeID", "Start_timestamp", "End_timestamp"),
    ("videoID", "url", "timestamp", "caption", "matching_score"),
    ("video_id", "url", "clip"),
    ("url", "start", "end", "caption"),
    ("longtake", "dataset", "video", "url", "row", "fields"),
)
CELLS = st.sampled_from(
    [
        *["", "nan", "0", "12.5", "-1", "1e308", "1e999", YOUTUBE, "https://a.example/v.mp4", "file:///etc/passwd"],
        *["['00:00:01.500', '00:00:09.000']", "[0, -1]", "[120, 455]", "[[1, 2], [3, 4]]", "['a', 'b']", "[0.5, None]"],
        *["BlUTkf-_GTg", "-RCZ_gmjtLU.14_2", "../x", "0.10", "00:00:02", "longtake", "webvid", "videvo, x", '"', "'"],
        *["Caption 1: a Caption 2: b", "[|||0||| 9||| a |||,|||9||| 10||| b |||,]", "[|||", "=1+1", "a,b\nc\r\n"],
    ]
) | st.text(max_size=12)
ANY = st.recursive(
    CELLS | st.none() | st.booleans() | st.floats() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(COLUMNS), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw a file: a table in the columns of a form, or near them, with a few bytes changed, or any bytes."""
    columns = [*draw(st.sampled_from(FORMS)), *draw(st.lists(st.sampled_from(COLUMNS), max_size=2))]
    if draw(st.booleans()):
        rows = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, ANY)), min_size=1, max_size=4))
        made = "\n".join(json.dumps(row) for row in rows).encode()
    else:
        cells = draw(st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=4))
        lines = [columns, *cells]
        quoted = [['"' + cell.replace('"', '""') + '"' for cell in line] for line in lines]
        made = "\n".join(",".join(line) for line in quoted).encode(errors="replace")
    at = draw(st.integers(0, len(made)))
    return (
        made[:at]
        + draw(st.sampled_from([b"", b"", b"", b'"', b"\n", b"\xff", b","]) | st.binary(max_size=4))
        + made[at:]
    )


@given(files() | st.binary(max_size=200))
@example(b'"')
@example(b"\x1f\x8b")
@example(b"PAR1PAR1")
def test_any_file(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            found = list(read_list(Path(file.name)))
        except UsageError:
            return
        for one in found:
            assert one.row >= 0
            if isinstance(one, BadRow):
                assert one.problem and one.path == Path(file.name)
                continue
            assert is_safe(one.video) and (not one.url or one.url.startswith(("https://", "http://")))
            assert from_json(to_json(one)) == one
