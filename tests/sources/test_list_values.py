"""Values of lists: times, spans, literals, addresses, names. Nothing is run, and nothing gets out."""

import ast
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from longtake.exports._text import clock, span_literal
from longtake.sources.lists._names import WATCH, address, clip_name, is_safe, safe_name, source, youtube_id
from longtake.sources.lists._values import is_score, items, literal, number, score_key, seconds, span, stamps, text

HOURS_48_MS = 48 * 3600 * 1000


@given(st.integers(0, HOURS_48_MS))
def test_a_clock_to_the_millisecond_is_read_exactly(ms: int) -> None:
    assert seconds(clock(ms / 1000)) == ms / 1000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[("1:30:42", 5442.0), ("00:00:17.759", 17.759), ("2:03,45", 123.45), ("90:00", 5400.0), (7, 7.0)],
        *[("12.5", 12.5), (" 3e1 ", 30.0), (0, 0.0), ("00:00:60.000", 60.0), ("17.", 17.0), (172800, 172800.0)],
    ],
)
def test_times(value: object, expected: float) -> None:
    assert seconds(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *["-1", -0.001, "nan", float("nan"), "inf", float("inf"), 172800.1, "49:00:00", "1_000", "１２", "0x10", True],
        *["", None, "soon", "1:2:3:4", "00:61:00", "00:00:75", "1:-2", [], {}, "1e999", 10**400, "=1+1"],
    ],
)
def test_what_is_no_time(value: object) -> None:
    with pytest.raises(ValueError, match=r"is no time|no list"):
        seconds(value)


def test_milliseconds_only_where_asked_for_and_never_of_a_clock() -> None:
    assert seconds(1500, 0.001) == 1.5 and seconds("00:01:00", 0.001) == 60.0
    assert seconds(HOURS_48_MS, 0.001) == 172800.0
    with pytest.raises(ValueError, match="48 hours"):
        seconds(HOURS_48_MS)


@given(st.integers(0, HOURS_48_MS - 1), st.integers(1, HOURS_48_MS))
def test_the_literals_that_we_write_are_read_exactly(start: int, longer: int) -> None:
    end = min(start + longer, HOURS_48_MS)
    assert stamps(span_literal(start / 1000, end / 1000)) == (start / 1000, end / 1000)


@pytest.mark.parametrize(
    "value",
    [
        *["['00:00:17.759']", "['00:00:02', '00:00:01']", "['1', '1']", "[1, nan]", "17.5", "", None, "[1, 2", "1, 2]"],
        *["__import__('os').system('true')", "[open('x'), 2]", "[1, 2] + [3]", "['a' 'b'", "[[1, 2]]", "{'a': 1}"],
        *["[" * 100_000, "-" * 100_000 + "1", "[(([[1]]))]", "['\\xzz', 2]", "[1, 1e999]"],
    ],
)
def test_what_is_no_span(value: object) -> None:
    with pytest.raises(ValueError):
        stamps(value)


LEAVES = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6, width=32) | st.text()
JSONS = st.lists(LEAVES | st.lists(LEAVES | st.lists(LEAVES, max_size=3), max_size=3), max_size=3)


@given(JSONS)
@example([["it's", 'a "b"\n', "\\", "", "]", ", '"]])
def test_literals_are_what_python_and_json_say(value: list) -> None:
    assert literal(repr(value)) == literal(json.dumps(value)) == value


def test_a_literal_of_texts_is_what_literal_eval_makes_of_it() -> None:
    written = repr([["0:00:01.5", "0:00:02"], 'He said: "it\'s \\ here"', "a\tb\u2028c", "中文 😀"])
    assert literal(written) == ast.literal_eval(written)


@pytest.mark.parametrize("piece", ["[", "]", "'", '"', "\\", " ", ",", "a", "'\\", "1.", "[[]", "''"])
def test_a_hostile_literal_is_refused_in_time_that_grows_with_its_length(piece: str) -> None:
    with pytest.raises(ValueError):  # a quadratic reader would take an hour
        literal("['" + piece * 400_000)


@pytest.mark.parametrize("value", [True, None, "x", "nan", float("nan"), 10**400, [], "1 2", "=1"])
def test_what_is_no_number(value: object) -> None:
    assert number(value) is None


def test_texts() -> None:
    assert [text(value) for value in ("a", 1, 1.5, None, float("nan"), ["é", None])] == [
        *["a", "1", "1.5", "", "", '["é", null]']
    ]
    for value in ("\ud800", "a" * (1 << 20) + "b", ["x" * (1 << 20)]):
        with pytest.raises(ValueError):
            text(value)


def test_lists_are_lists_already_or_literals() -> None:
    assert items([1, 2]) == items("[1, 2]") == items("(1, 2)") == [1, 2]
    with pytest.raises(ValueError, match="no list"):
        items("'a'")
    with pytest.raises(ValueError, match="must end after its start"):
        span(3, 3)


@pytest.mark.parametrize(
    ("name", "key"),
    [("total score", "total_score"), ("clip_sim", "clip_sim"), ("3d score", "_3d_score"), ("UMT_Score", "UMT_Score")],
)
def test_scores_are_told_by_their_names(name: str, key: str) -> None:
    assert is_score(name) and score_key(name) == key and key.isidentifier()
    assert not is_score("simple") and not is_score("duration") and is_score("VTSS") and is_score("aesthetic")


@pytest.mark.parametrize(
    "written",
    [
        *["https://www.youtube.com/watch?v=BlUTkf-_GTg", "http://youtube.com/watch?v=BlUTkf-_GTg&t=3s"],
        *["youtu.be/BlUTkf-_GTg?si=x", "https://m.youtube.com/watch?list=a&v=BlUTkf-_GTg#t=1"],
        *[
            "https://www.youtube.com/shorts/BlUTkf-_GTg",
            "www.youtube.com/embed/BlUTkf-_GTg/",
            "HTTPS://YouTu.be/BlUTkf-_GTg",
        ],
    ],
)
def test_all_addresses_of_a_video_on_youtube_are_one(written: str) -> None:
    assert address(written) == WATCH + "BlUTkf-_GTg"
    assert source(written, "something else") == ("BlUTkf-_GTg", WATCH + "BlUTkf-_GTg")


@pytest.mark.parametrize(
    "written",
    [
        *[
            "https://evil.example/youtube.com/watch?v=BlUTkf-_GTg",
            "https://youtube.com.evil.example/watch?v=BlUTkf-_GTg",
        ],
        *["https://evil.example/?https://youtu.be/BlUTkf-_GTg", "https://www.youtube.com/watch?v=BlUTkf-_GTgx"],
    ],
)
def test_what_only_looks_like_youtube_is_not(written: str) -> None:
    assert youtube_id(written) == "" and address(written) == written


@pytest.mark.parametrize(
    "written",
    [
        *[
            "file:///etc/passwd",
            "FILE://x/y.mp4",
            "ftp://a.example/v.mp4",
            "/etc/passwd",
            "../v.mp4",
            "v.mp4",
            "C:\\v.mp4",
        ],
        *[
            "javascript:alert(1)",
            "data:video/mp4;base64,AAAA",
            "http://",
            "https:///v.mp4",
            "http:v.mp4",
            "//a.example/v",
        ],
        *[
            "https://a.example/v.mp4 -o /etc/x",
            "https://a.example/\nv",
            "https://a\\b.example/v",
            "http://u:p@a.example/v",
        ],
        *[
            "https://youtube.com@a.example/v",
            "http://[::1/v",
            "http://a.example:99999/v",
            "https://a.example/\x00",
            "-oX",
        ],
        *[
            "https://a.example/" + "a" * 9000,
            "concat:a|b",
            "s3://../x",
            "s3://bucket",
            "s3://bucket/a/../b.mp4",
            "s3://bucket/a//b.mp4",
            "s3://bucket/a\nb.mp4",
            "s3://127.0.0.1:9000/a.mp4",
            "s3://user:key@bucket/a.mp4",
            "gs://x/\ud800",
            "az://",
            "hf://datasets/films/a.mp4",
            "hf://datasets/../films/a.mp4",
            "hf://datasets/someone/films@../a.mp4",
            "http://a.example/\ud800",
            "=1+1",
        ],
        *["https://a.example/\u2028v", "--exec=x", "pipe:0", ""],
    ],
)
def test_what_is_no_address_is_refused_in_words(written: str) -> None:
    with pytest.raises(ValueError, match="address"):
        address(written)


def test_objects_have_addresses_of_their_own_taken_as_they_stand() -> None:
    for written in ("s3://my-bucket/a b.mp4", "s3://my.bucket/a%20b#1?.mp4", "gs://bucket/x/é.mp4", "az://box/a.mp4"):
        assert address(f" {written} ") == written
    for written in ("hf://datasets/some-one/films/x/a.mp4", "hf://someone/films@v2/a.mp4"):
        assert address(written) == written
    assert address("s3://bucket//a.mp4/") == "s3://bucket/a.mp4"
    one, other = source("s3://bucket/a#1.mp4", "7")[0], source("s3://bucket/a#2.mp4", "7")[0]
    assert is_safe(one) and one.startswith("7.id") and one != other
    assert address(" https://a.example/v.mp4?sig=a,b ") == "https://a.example/v.mp4?sig=a,b"


NAMES = st.text(min_size=1, max_size=120) | st.from_regex(r"[A-Za-z0-9._/-]{1,30}", fullmatch=True)
HOSTILE = (
    "..",
    "../../x",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    ".hidden",
    "-rf",
    "a" * 300,
    "CON:",
    "a\nb",
    "😀",
    " ",
    "x.",
)


@given(NAMES)
@example("-RCZ_gmjtLU")
def test_names_are_safe_and_made_the_same_each_time(name: str) -> None:
    made = safe_name(name)
    assert is_safe(made) and made == safe_name(name)
    assert len(made) <= 100 and not made.startswith((".", "-")) and made.isascii() and "/" not in made


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_made_safe_also_of_clips(name: str) -> None:
    assert is_safe(safe_name(name)) and safe_name(name) != name
    assert "/" not in clip_name(name) and "\\" not in clip_name(name) and clip_name(name).isprintable()


@given(NAMES, NAMES)
@example("a/b", "a_b")
@example("7.1", "7.10")
def test_two_names_never_become_one(one: str, other: str) -> None:
    made = [one, other, safe_name(one), safe_name(other)]
    assert len({safe_name(name) for name in made}) == len(set(made))
    assert len({clip_name(name) for name in made}) == len(set(made))


def test_a_video_is_called_by_its_own_id_or_by_its_address() -> None:
    plain = "https://a.example/films/A%20film.mp4?x=1"
    assert source("", "BlUTkf-_GTg") == ("BlUTkf-_GTg", WATCH + "BlUTkf-_GTg")
    assert source(plain, "852363", prefix="videvo-") == ("videvo-852363", plain)
    assert source("", "no id there") == (safe_name("no id there"), "")
    by_address, other = source(plain, "")[0], source(plain + "2", "")[0]
    assert by_address.startswith("A_20film_mp4.id") and by_address != other and is_safe(by_address)
    assert source(plain, "BlUTkf-_GTg")[0] != "BlUTkf-_GTg"  # that one is on YouTube
    assert source(plain, "-_GTg", prefix="pexels")[0] != "pexels-_GTg"  # may be one there, too
    with pytest.raises(ValueError, match="neither"):
        source("", "")


def test_one_id_at_two_addresses_is_two_videos_but_on_a_known_site() -> None:
    one, other = source("https://a.example/1.mp4", "1"), source("https://b.example/1.mp4", "1")
    assert one[0] != other[0] and one[0].startswith("1.id") and is_safe(one[0])
    assert source("https://a.example/1.mp4", "1") == one
    assert source("https://a.example/1.mp4#t=3,5", "1")[0] == one[0], "a place in the same file"
    assert source("https://a.example/1.mp4", "1", prefix="webvid-")[0] == "webvid-1"
    assert source("https://cdn.example/1.mp4?key=2", "1", prefix="webvid-")[0] == "webvid-1"
