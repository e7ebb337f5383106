"""Our own lists: written and read back to the bit, and not believed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listing import bad, good, write

from longtake.sources import Listed, ListedCaption
from longtake.sources.lists import form_of, from_json, read_list, to_json
from longtake.sources.lists._names import is_safe

TEXTS = st.text(max_size=60)
WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
NUMBERS = st.floats(-1e300, 1e300)
SPANS = st.tuples(st.none() | st.floats(0, 1e5), st.none() | st.floats(0, 7e4)).map(
    lambda at: (at[0], None if at[1] is None else (at[0] or 0.0) + at[1] + 0.001)
)
CAPTIONS = st.builds(lambda kind, text, at: ListedCaption(kind, text, at[0] or 0.0, at[1]), WORDS, TEXTS, SPANS)


@st.composite
def listed(draw: st.DrawFn) -> Listed:
    start_s, end_s = draw(SPANS)
    return Listed(
        dataset=draw(WORDS),
        video=draw(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,98}[A-Za-z0-9_]", fullmatch=True)),
        url=draw(st.sampled_from(["", "https://a.example/v.mp4?a=é", "https://www.youtube.com/watch?v=BlUTkf-_GTg"])),
        start_s=start_s,
        end_s=end_s,
        clip=draw(TEXTS),
        captions=tuple(draw(st.lists(CAPTIONS, max_size=3))),
        scores=draw(st.dictionaries(WORDS, NUMBERS, max_size=3)),
        fields=draw(st.dictionaries(TEXTS, TEXTS, max_size=3)),
        row=draw(st.integers(0, 10**9)),
    )


@given(listed())
def test_a_clip_is_read_back_as_it_was_from_one_line(clip: Listed) -> None:
    line = to_json(clip)
    assert line.splitlines() == [line]
    assert from_json(line) == clip and to_json(from_json(line)) == line


def test_a_file_of_them_is_a_list(tmp_path: Path) -> None:
    clips = [
        Listed("lvd2m", f"v{i}", "", 0.1, 0.3, captions=(ListedCaption("raw", "a\u2028b"),), row=i) for i in (7, 9)
    ]
    path = write(tmp_path / "x.csv", "".join(f"{to_json(clip)}\n" for clip in clips) + to_json(clips[0])[:-9])
    assert form_of(path) == "longtake"
    assert [one for one in read_list(path) if isinstance(one, Listed)] == clips
    assert "half written" in bad(path)[3]
    assert good(write(tmp_path / "y", to_json(clips[0]))) == clips[:1]


ROW: dict[str, Any] = {"longtake": 1, "dataset": "lvd2m", "video": "v", "url": "https://a.example/v", "row": 1}


@pytest.mark.parametrize(
    "change",
    [
        *[{"video": name} for name in ("../x", "", ".x", "-x", "a/b", "a" * 101, 5, None, "a\n", "\u00e9")],
        *[
            {"url": url}
            for url in ("file:///etc/passwd", "/x", "https://youtu.be/BlUTkf-_GTg", 7, " https://a.example/v")
        ],
        *[{"start_s": value} for value in (-1, "1", float("nan"), 1e9, True)],
        *[{"start_s": 2, "end_s": 1}, {"end_s": 0}, {"end_s": float("inf")}],
        *[{"captions": value} for value in ("x", [["raw", "x"]], [["a b", "x", 0, None]], [["raw", 1, 0, None]], [5])],
        *[{"captions": [["raw", "x", 5, 4]]}, {"captions": [["raw", "\ud800", 0, None]]}],
        *[{"scores": value} for value in ([], {"a b": 1}, {"a": "1"}, {"a": float("nan")})],
        *[{"fields": {"a": 1}}, {"fields": []}, {"clip": 5}, {"row": -1}, {"row": 1.5}, {"row": True}],
        *[{"longtake": 2}, {"longtake": None}, {"dataset": "a/b"}, {"more": 1}],
    ],
)
def test_a_line_that_was_tampered_with_is_refused(change: dict[str, Any]) -> None:
    assert from_json(json.dumps(ROW)).video == "v"
    with pytest.raises(ValueError):
        from_json(json.dumps(ROW | change))


@pytest.mark.parametrize("line", ["", "{", "[1]", "5", "[" * 100_000, "{}"])
def test_what_is_no_line_of_ours(line: str) -> None:
    with pytest.raises(ValueError):
        from_json(line)


@given(st.text(max_size=30))
def test_only_safe_names_pass(name: str) -> None:
    if not is_safe(name):
        with pytest.raises(ValueError):
            from_json(json.dumps(ROW | {"video": name}))
