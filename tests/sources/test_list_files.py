"""Files of lists: told by content, read row by row, damage and all, in memory that doesn't grow."""

import gzip
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from listing import YOUTUBE, bad, good, write, write_csv, write_json

from longtake.errors import UsageError
from longtake.sources import BadRow, Listed
from longtake.sources.lists import form_of, read_list

ROWS = [{"url": f"https://a.example/{i}.mp4", "start": i, "end": i + 2.5, "caption": f"No. {i}"} for i in range(5)]
COLUMNS = ("url", "start", "end", "caption")


def spans(path: Path) -> list[tuple]:
    return [(one.url, one.start_s, one.end_s, [c.text for c in one.captions], one.row) for one in good(path)]


EXPECTED = [(row["url"], row["start"], row["end"], [row["caption"]], i) for i, row in enumerate(ROWS, 1)]


@pytest.mark.parametrize("packed", [False, True])
def test_one_list_in_every_kind_of_file_whatever_its_name(tmp_path: Path, packed: bool) -> None:
    assert spans(write_csv(tmp_path / "a.parquet", COLUMNS, ROWS, packed=packed)) == EXPECTED
    assert spans(write_json(tmp_path / "b.csv", ROWS, packed=packed)) == EXPECTED
    text = "".join("\t".join(map(str, cells)) + "\r\n" for cells in (COLUMNS, *(row.values() for row in ROWS)))
    assert spans(write(tmp_path / "c.jsonl", "\ufeff" + text, packed=packed)) == EXPECTED
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "d.txt")
    assert spans(tmp_path / "d.txt") == EXPECTED
    semicolons = text.replace("\t", ";").replace(".5", ",5").replace(",5;", ".5;")
    assert spans(write(tmp_path / "e", semicolons, packed=packed)) == EXPECTED


def test_a_bad_row_costs_itself_alone(tmp_path: Path) -> None:
    lines = [
        b"url,start,end,caption",
        b"https://a.example/1,0,1,One.",
        b"https://a.example/2,0,1,\xff\xfe bytes",
        b"https://a.example/3,0",
        b"",
        b',,,""',
        b'https://a.example/5,0,1,"Two\r\nlines, a ""quote"" and =HYPERLINK(1)"',
        b"https://a.example/6,0,1,too,many",
        b"file:///etc/passwd,0,1,x",
        b"https://a.example/8,2,1,x",
        b"https://a.example/9,0,200000,x",
        b"https://a.example/10,0,1," + b"y" * (2 << 20),
        b"https://a.example/11,0,1,Last.,",
    ]
    path = write(tmp_path / "a", b"\n".join(lines))
    found = list(read_list(path))
    assert [one.row for one in found if isinstance(one, Listed)] == [1, 5, 11]
    assert found[3].captions[0].text == 'Two\r\nlines, a "quote" and =HYPERLINK(1)'
    problems = bad(path)
    assert list(problems) == [2, 3, 6, 7, 8, 9, 10]
    words = ["UTF-8", "2 cells", "5 cells", "https://", "must end after", "48 hours", "field larger"]
    assert all(word in problem for word, problem in zip(words, problems.values(), strict=True))
    assert all(one.path == path for one in found if isinstance(one, BadRow))


@pytest.mark.parametrize("mark", ["\t", ","])
def test_a_quote_without_its_end_costs_its_own_row(tmp_path: Path, mark: str) -> None:
    captions = ['"Hello she says', '"Bye" he says', "He says bye", '"Two\nlines"', '"oh', '"Good."']
    rows = [mark.join((f"https://a.example/{i}", "0", "1", caption)) for i, caption in enumerate(captions, 1)]
    path = write(tmp_path / "a", "\n".join([mark.join(COLUMNS), *rows, ""]))
    found = {one.row: one.captions[0].text for one in read_list(path) if isinstance(one, Listed)}
    assert found == {2: "Bye he says", 3: "He says bye", 4: "Two\nlines", 6: "Good."}
    assert bad(path) == dict.fromkeys((1, 5), "a cell begins with a quote that has no end")


def test_a_quote_without_its_end_is_not_read_into_memory(tmp_path: Path) -> None:
    row = "https://a.example/v,0,1,x\n"
    path = write(tmp_path / "a", "url,start,end,caption\n" + row + 'https://a.example/v,0,1,"oh\n' + row * 60_000)
    found = list(read_list(path))
    assert [one.row for one in found if isinstance(one, BadRow)] == [2]
    assert sum(isinstance(one, Listed) for one in found) == 60_001


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    for name, first, line in (
        ("a", "url,start\n", "https://a.example/1," + "1," * 12_000_000),
        ("b", '{"url": "https://a.example/0"}\n', '{"url": "' + "x" * 20_000_000 + '"}'),
        ("c", "https://a.example/0\n", "https://a.example/" + "x" * 20_000_000),
    ):
        last = '{"url": "https://a.example/9"}\n' if name == "b" else "https://a.example/9" + ",9" * (name == "a")
        found = list(read_list(write(tmp_path / name, f"{first}{line}\n{last}\n")))
        problem, after = found[-2:]
        assert isinstance(problem, BadRow) and "a line of more than" in problem.problem
        assert isinstance(after, Listed) and after.url == "https://a.example/9"


def test_bad_lines_of_json(tmp_path: Path) -> None:
    lines = [
        '{"url": "https://a.example/1"}',
        '{"url": "https://a.ex',
        "[1]",
        "",
        "[" * 100_000,
        '{"url": "https://a.example/6", "caption": "\\ud800"}',
        '{"url": "https://a.example/7", "start": NaN, "end": 4, "caption": null}',
        '{"url": 5}',
        '{"caption": "no url"}',
        "12",
    ]
    path = write_json(tmp_path / "a", lines)
    assert [one.row for one in read_list(path) if isinstance(one, Listed)] == [1, 7]
    assert list(bad(path)) == [2, 3, 5, 6, 8, 9, 10]
    seventh = next(one for one in read_list(path) if one.row == 7)
    assert (seventh.start_s, seventh.end_s, seventh.captions) == (None, 4.0, ())


def test_a_damaged_file_gives_what_is_there(tmp_path: Path) -> None:
    import random

    draw = random.Random(1)
    rows = [{"url": f"https://a.example/{draw.random()}"} for _ in range(3000)]
    for name, path in (("csv", write_csv(tmp_path / "a", ["url"], rows)), ("json", write_json(tmp_path / "b", rows))):
        packed = gzip.compress(path.read_bytes())
        found = list(read_list(write(tmp_path / name, packed[: len(packed) - 5000])))
        assert isinstance(found[-1], BadRow) and "cut off" in found[-1].problem
        assert 100 < len(found) < 3000 and all(isinstance(one, Listed) for one in found[:-2])
    plain = gzip.compress("\n".join(row["url"] for row in rows).encode())
    found = list(read_list(write(tmp_path / "plain", plain[:-5000])))
    assert "cut off" in found[-1].problem and len(found) > 100


def test_a_parquet_file_leaves_bytes_alone_and_names_a_row_of_broken_text(tmp_path: Path) -> None:
    urls = pa.array([b"https://a.example/0", b"https://a.example/\xff", b"https://a.example/2"], pa.binary())
    urls = pa.StringArray.from_buffers(3, *urls.buffers()[1:])
    table = pa.table({"url": urls, "video": [b"bytes"] * 3, "more": [[1, 2], None, [3]]})
    pq.write_table(table, tmp_path / "a", use_dictionary=False)
    found = list(read_list(tmp_path / "a"))
    assert [type(one) for one in found] == [Listed, BadRow, Listed] and "UTF-8" in found[1].problem
    assert found[0].fields == {"more": "[1, 2]"}
    whole = (tmp_path / "a").read_bytes()
    with pytest.raises(UsageError, match="no whole Parquet file"):
        form_of(write(tmp_path / "b", whole[:-9]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(500), "no list"),
        (b"PK\x03\x04....", "unzip"),
        (b"[\n{\n", "one object a line"),
        (b'[{"url": "https://a.example/1"},\n{"url": "https://a.example/2"}\n]\n', "one object a line"),
        (b"# only\n# comments\n", "comments"),
        (b"a,b,c\n1,2,3\n", "--map url=COLUMN.*'a', 'b', 'c'"),
        (b"https://a.example/v.mp4,0.5,3\n", "names its columns"),
        (b"https://a.example/v.mp4\t00:00:01\t3\n", "names its columns"),
        (b"s3://bucket/v.mp4,0.5,3\n", "names its columns"),
        (b"/home/a.mp4\n/home/b.mp4\n", "no column is known"),
        (b"url,link\nx,y\n", "'url' and 'link' could each be the url"),
        (b"url,start,timestamp\nx,y,z\n", "could each be the span"),
        (b'{"a": 1}\n', "no column is known"),
        (b"\x1f\x8bbroken", "damaged|cut off"),
    ],
)
def test_what_is_no_list_is_said_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = write(tmp_path / "list.csv", content)
    with pytest.raises(UsageError, match=words):
        form_of(path)
    with pytest.raises(UsageError, match=words):
        read_list(path)  # at once, not with the first row


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError, match="no such file"):
            read_list(path)


def test_plain_lists(tmp_path: Path) -> None:
    lines = [
        *["\ufeff# mine", "BlUTkf-_GTg", "", YOUTUBE + "&t=3", "https://a.example/v,1.mp4", "-RCZ_gmjtLU"],
        *[
            "file:///etc/passwd",
            "javascript:alert(1)",
            "/etc/passwd",
            "some words",
            "youtu.be/BlUTkf-_GTg",
            "ftp://a/b",
        ],
    ]
    for packed in (False, True):
        path = write(tmp_path / "list", "\r\n".join(lines), packed=packed)
        assert form_of(path) == "plain"
        found = [one for one in read_list(path) if isinstance(one, Listed)]
        assert [one.row for one in found] == [2, 4, 5, 6, 11]
        assert [found[i].video for i in (0, 1, 4)] == ["BlUTkf-_GTg"] * 3
        assert [found[i].url for i in (0, 1, 4)] == [YOUTUBE] * 3
        assert found[3].url.endswith("v=-RCZ_gmjtLU") and found[3].video.startswith("RCZ_gmjtLU.id")
        assert list(bad(path)) == [7, 8, 9, 10, 12]
    with pytest.raises(UsageError, match="without columns"):
        read_list(path, mapping={"url": "url"})
    header = write(tmp_path / "header", "youtube_url\nBlUTkf-_GTg\nyoutu.be/BlUTkf-_GTg\n")
    assert form_of(header) == "table" and list(bad(header)) == [1]


MEASURE = """
import sys
from longtake.sources.lists import read_list
rows = 0
for found in read_list(sys.argv[1]):
    rows += 1
status = open("/proc/self/status").read()
print(rows, int(status.partition("VmHWM:")[2].split()[0]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_memory_does_not_grow_with_the_list(tmp_path: Path, kind: str) -> None:
    peaks = []
    for count in (2_000, 70_000):
        rows = [
            {"url": f"https://a.example/{i}.mp4", "start": 1.5, "end": 9.25, "caption": "A calm sentence. " * 8}
            for i in range(count)
        ]
        path = tmp_path / f"{count}"
        if kind == "parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        elif kind == "csv":
            write_csv(path, COLUMNS, rows)
        else:
            write_json(path, rows)
        done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
        seen, kib = map(int, done.stdout.split())
        assert seen == count
        peaks.append(kib)
    assert peaks[1] < peaks[0] + 30 * 1024  # the file has 13 MB and more, its rows as objects 70


def test_leaving_a_list_half_read_closes_it(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a", COLUMNS, ROWS)
    reading = read_list(path)
    assert len(list(islice(reading, 2))) == 2
    reading.close()  # an open file would be a warning, and so an error
