"""Which part of a video holds a row's clip, and when it shows there."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.sources import Listed
from longtake.sources.pieces import Part, in_part, part_name, read_parts, video_of, write_parts

SECONDS = st.floats(0, 1e5)
PARTS = [
    Part("a", "a@0-5", 0.0, 5.0, 0.0),
    Part("a", "a@12.5-30", 12.5, 30.0, 10.01),
    Part("a", "a@90-end", 90.0, math.inf, 88.0),
]


@pytest.mark.parametrize(
    ("span", "name", "own"),
    [
        ((None, 4.0), "a@0-5", (0.0, 4.0)),
        ((12.5, 30.0), "a@12.5-30", (2.49, 19.99)),
        ((20.0, 21.0), "a@12.5-30", (9.99, 10.99)),
        ((95.0, None), "a@90-end", (7.0, None)),
        ((12.4, 30.0), "a", (12.4, 30.0)),
        ((29.0, 31.0), "a", (29.0, 31.0)),
        ((None, None), "a", (None, None)),
    ],
)
def test_a_row_is_of_the_part_that_holds_it(span, name, own):
    row = in_part(Listed("plain", "a", "https://example.org/a.mp4", *span, fields={"x": "y"}), PARTS)
    assert (row.video, (row.start_s, row.end_s)) == (name, pytest.approx(own))
    assert row.fields["x"] == "y" and row.fields.get("part_of") == (None if name == "a" else "a")


def test_parts_are_read_as_they_were_written(tmp_path: Path):
    write_parts(tmp_path, PARTS)
    assert read_parts(tmp_path) == {"a": PARTS}
    write_parts(tmp_path, [])
    assert read_parts(tmp_path) == {}
    write_parts(tmp_path / ".", [])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pieces.jsonl"]


@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", fullmatch=True), SECONDS, SECONDS)
def test_a_parts_name_tells_its_video(video: str, start_s: float, end_s: float):
    name = part_name(video, start_s, end_s)
    assert video_of(name) == video_of(video) == video
    assert Path(f"videos/{name}.mp4").stem == name
