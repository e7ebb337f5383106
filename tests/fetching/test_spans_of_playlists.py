"""Only the wanted spans of HLS playlists: only their pieces are asked for, and clips are those of the whole video."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fileserver import FileServer
from media import pan, read_frames, read_number, write_number, write_video
from sites_server import SiteServer
from test_fetch_list import row

from longtake.fetching import Limits, Manner, fetch_list, hosts, ranges, worker
from longtake.fetching.playlists import cut_down
from longtake.sources import Listed
from longtake.sources.lists import to_json
from longtake.sources.pieces import read_parts

pytest.importorskip("yt_dlp")

LENGTH_S, PIECE_S = 60, 4
HOW = {"rate": 500.0, "limits": Limits(reserve_bytes=0)}
Fetch = Callable[..., Any]


@pytest.fixture(autouse=True)
def little_patience(monkeypatch):
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(worker, "BACKOFF_S", 0.05)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a minute of numbered frames and a beep, in pieces of 4 s of both kinds."""
    made = tmp_path_factory.mktemp("hls")
    frames = LENGTH_S * 12
    pictures = [write_number(p, i) for i, p in enumerate(pan(frames, seed=16, speed=0.1, fps=12, size=(160, 90)))]
    for kind, options in (("mpegts", {}), ("fmp4", {"hls_fmp4_init_filename": "init.mp4"})):
        settings = {"hls_time": str(PIECE_S), "hls_list_size": "0", "hls_segment_type": kind, **options}
        settings["hls_segment_filename"] = str(made / f"{kind}_%d.{'ts' if kind == 'mpegts' else 'm4s'}")
        with av.open(str(made / f"{kind}.m3u8"), "w", format="hls", options=settings) as out:
            stream = out.add_stream(
                "libx264", rate=12, options={"preset": "ultrafast", "bf": "2", "g": str(12 * PIECE_S)}
            )
            stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
            sound = out.add_stream("aac", rate=48_000, layout="mono") if kind == "mpegts" else None
            done = 0
            for i, picture in enumerate(pictures):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                while sound and done < (i + 1) * 4000:
                    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                    frame.sample_rate, frame.pts = 48_000, done
                    out.mux(sound.encode(frame))
                    done += 1024
            out.mux(stream.encode())
            if sound:
                out.mux(sound.encode())
    write_video(made / "film.mp4", pictures, fps=12, options={"g": "48", "crf": "30"})
    return made


@pytest.mark.parametrize("kind", ["mpegts", "fmp4"])
def test_only_the_pieces_of_spans_come(tmp_path, folder, kind):
    spans = [(30.5, 32.0), (58.0, 70.0), (80.0, 81.0)]
    path = tmp_path / "list.jsonl"
    with SiteServer(folder) as site:
        rows = [Listed("plain", "a", f"{site.url}/{kind}.m3u8", *span) for span in spans]
        path.write_text("".join(to_json(one) + "\n" for one in rows))
        found = fetch_list([path], tmp_path / "to", manner=Manner(allow_private=True, spans=True), **HOW)
        assert found.counts == {"done": 1} and found.notes == ()
        asked = {one for one in site.paths() if one.startswith(f"/{kind}_")}
        assert 2 < len(asked) <= 0.7 * LENGTH_S / PIECE_S
    parts = read_parts(tmp_path / "to")["a"]
    assert [part.name for part in parts] == ["a@30.5-32", "a@58-70"]
    assert "1 of the spans" in row(tmp_path / "to", "a")["message"]
    for part, span in zip(parts, spans, strict=False):
        shown = list(read_frames(tmp_path / f"to/videos/{part.name}.mp4"))
        zero = shown[0][0]
        numbers = [(round((time - zero + part.shift_s) * 12), read_number(picture)) for time, picture in shown]
        assert all(at == number for at, number in numbers)
        wanted = range(int(span[0] * 12), min(LENGTH_S, int(span[1])) * 12)
        assert set(wanted) <= {number for _, number in numbers}
    if kind == "mpegts":
        with av.open(str(tmp_path / "to/videos/a@30.5-32.mp4")) as file:
            assert file.streams.audio


@pytest.mark.parametrize(("action", "parts"), [("ok", True), ("no-range", False), ("403", False)])
def test_of_a_page_around_one_file_only_parts_of_that_come(tmp_path, folder, monkeypatch, action, parts):
    """Asked for as the page's site wants it; where it refuses that, yt-dlp has its own way."""
    monkeypatch.setattr(ranges, "FIRST_BYTES", 4096)
    film, path = (folder / "film.mp4").read_bytes(), tmp_path / "list.jsonl"
    scripts = {"/film.mp4": ["ok", action, "ok"]}  # yt-dlp looks into it first
    page = b'<html><title>t</title><video src="/film.mp4"></video></html>'
    with FileServer({"/film.mp4": film, "/page.html": page}, scripts) as server:
        path.write_text(to_json(Listed("plain", "a", f"{server.url}/page.html", 30.5, 32.0)) + "\n")
        found = fetch_list([path], tmp_path / "to", manner=Manner(allow_private=True, spans=True), **HOW)
        asked = [headers for headers in server.headers["/film.mp4"] if "-" in headers.get("Range", "")[6:]]
        assert all(headers["User-Agent"].startswith("Mozilla") for headers in asked if headers["Range"] != "bytes=0-")
        assert not parts or server.sent["/film.mp4"] < 0.7 * len(film)
    assert found.counts == {"done": 1}
    assert [file.name for file in (tmp_path / "to/videos").iterdir()] == ["a@30.5-32.mp4" if parts else "a.mp4"]
    assert bool(found.notes) != parts


def test_where_it_cannot_be_exact_all_of_it_comes(tmp_path, folder):
    text = (folder / "mpegts.m3u8").read_text().replace("#EXTINF", "#EXT-X-DISCONTINUITY\n#EXTINF", 1)
    (folder / "odd.m3u8").write_text(text)
    path = tmp_path / "list.jsonl"
    with SiteServer(folder) as site:
        path.write_text(to_json(Listed("plain", "a", f"{site.url}/odd.m3u8", 30.5, 32.0)) + "\n")
        found = fetch_list([path], tmp_path / "to", manner=Manner(allow_private=True, spans=True), **HOW)
    assert found.counts == {"done": 1} and "came whole" in found.notes[0]
    assert [file.stem for file in (tmp_path / "to/videos").iterdir()] == ["a"]


def test_a_playlist_that_lies_of_its_times_comes_whole(tmp_path, folder):
    """Its pieces are said to be twice as long as they are, so that the wrong ones come."""
    text = (folder / "mpegts.m3u8").read_text()
    (folder / "lying.m3u8").write_text(text.replace("#EXTINF:4.0", "#EXTINF:9.0"))
    path = tmp_path / "list.jsonl"
    with SiteServer(folder) as site:
        path.write_text(to_json(Listed("plain", "a", f"{site.url}/lying.m3u8", 50.0, 51.0)) + "\n")
        found = fetch_list([path], tmp_path / "to", manner=Manner(allow_private=True, spans=True), **HOW)
    assert found.counts == {"done": 1} and "came whole" in found.notes[0]
    video = next((tmp_path / "to/videos").iterdir())
    assert video.stem == "a" and len(list(read_frames(video))) == LENGTH_S * 12


HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n"
PIECES = "".join(f"#EXTINF:10,\n{number}.ts\n" for number in range(20))


def test_a_playlist_is_cut_down_to_first_last_and_wanted():
    found = cut_down(f"{HEAD}{PIECES}#EXT-X-ENDLIST\n", [(100.0, 101.0)])
    assert found is not None
    assert [line for line in found.splitlines() if not line.startswith("#")] == [
        f"{number}.ts" for number in (0, 9, 10, 11, 19)
    ]
    assert found.startswith(HEAD) and found.endswith("#EXT-X-ENDLIST\n")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        (f"{HEAD}{PIECES}", [(100.0, 101.0)]),  # a live one
        (f"{HEAD}{PIECES}#EXT-X-ENDLIST\n", [(0.0, 101.0)]),
        (f'{HEAD}#EXT-X-KEY:METHOD=AES-128,URI="k"\n{PIECES}#EXT-X-ENDLIST\n', [(100.0, 101.0)]),
        (f"{HEAD}#EXT-X-BYTERANGE:100\n{PIECES}#EXT-X-ENDLIST\n", [(100.0, 101.0)]),
        (f"{HEAD}{PIECES}#EXT-X-DISCONTINUITY\n{PIECES}#EXT-X-ENDLIST\n", [(100.0, 101.0)]),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n#EXT-X-ENDLIST", [(1.0, 2.0)]),
        ("#EXTM3U\na.ts\n#EXT-X-ENDLIST", [(1.0, 2.0)]),
        ("", [(1.0, 2.0)]),
    ],
)
def test_what_is_no_playlist_to_cut(text, spans):
    assert cut_down(text, spans) is None
