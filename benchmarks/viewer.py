"""The viewer's answers about a large set: milliseconds, as a page waits for them.

    python benchmarks/viewer.py [--clips 100000] [--json results/viewer.json]
    python benchmarks/viewer.py --clips 100000 --make FOLDER     only makes the set, to look at it

The set's tables are made up: 50 clips a video, scores at random, a caption of 40 words for each clip. The server is
`longtake view` in a process of its own, asked over loopback. Told are the first answers after its start, when nothing
is in its memory, then medians of several, each with other rules; and the server's work on all cores, for a machine that
does other things takes longer.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
from _machine import measured_on

from longtake.recipe import load, score_keys
from longtake.schemas import SCHEMAS
from longtake.store import Store

TURNS = 15
CLIPS_A_VIDEO = 50
WORDS_A_CAPTION = 40
_WORDS = (
    "man woman child dog cat horse bird boat car train street city village harbour forest field river mountain beach "
    "kitchen table window door hand face hat coat red green blue white dark bright slow quick left right near far "
    "walks runs turns looks holds carries opens pours climbs swims sails drives waits smiles speaks dances works"
)
WORDS = _WORDS.split()
RULES = ["duration_s >= 10", "content.max < 0.9", "motion.mean >= 0.077"]


def make_set(folder: Path, clips: int) -> None:
    """Write the tables and the recipe of a made-up set."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    recipe = load("lvd2m", [f"select.keep={json.dumps(RULES)}"])
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    videos = [f"video-{number:07d}-{number:010x}" for number in (np.arange(clips) // CLIPS_A_VIDEO).tolist()]
    lengths = rng.exponential(14, clips) + 0.5
    starts = (np.arange(clips) % CLIPS_A_VIDEO) * 200.0
    known: dict[str, Any] = {
        "id": [f"{video}_{number:08d}_00000000" for number, video in enumerate(videos)],
        "video_id": videos,
        "start_s": starts,
        "end_s": starts + lengths,
        "duration_s": lengths,
        "width": np.full(clips, 1280),
        "height": np.full(clips, 720),
        "fps": np.full(clips, 25.0),
        "kept": np.zeros(clips, bool),
    }
    schema = SCHEMAS["clips"]
    columns = [pa.array(known[f.name], f.type) if f.name in known else pa.nulls(clips, f.type) for f in schema]
    table = pa.Table.from_arrays(columns, schema=schema)
    labels: dict[str, list[str]] = {}
    for key in score_keys(recipe):
        label, _, part = key.partition(".")
        if label not in recipe.judges:
            labels.setdefault(label, []).append(part)
    for label, parts in labels.items():
        scores = pa.StructArray.from_arrays([pa.array(rng.random(clips)) for _ in parts], parts)
        table = table.append_column(label, scores)
    lance.write_dataset(table, str(folder / "clips.lance"))
    store = Store(folder)
    facts = {"duration_s": CLIPS_A_VIDEO * 200.0, "fps": 25.0, "width": 1280, "height": 720, "codec": "h264"}
    store.append("videos", [{"id": name, "path": f"/films/{name}.mp4", **facts} for name in sorted(set(videos))])
    said = np.array(WORDS)[rng.integers(0, len(WORDS), (clips, WORDS_A_CAPTION))]
    caption = {"step": "lvd2m", "kind": "refined", "number": 0, "problems": [], "model": "made-up", "frames_s": []}
    for begin in range(0, clips, 50_000):
        rows = [
            {**caption, "clip_id": known["id"][row], "video_id": videos[row], "text": " ".join(said[row])}
            for row in range(begin, min(begin + 50_000, clips))
        ]
        store.append("captions", rows)
    store.compact()


class Page:
    """Asks the server as the page does."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer to GET, or to POST of some JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long some work takes, by the clock."""
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def cpu_ms(process: int) -> float:
    """Return how long all cores have worked for a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(process: int, work: Callable[[], object], turns: int) -> dict[str, float]:
    """Return the median of how long some work takes, and how long the server works for it on average."""
    before = cpu_ms(process)
    median = statistics.median(milliseconds(work) for _ in range(turns))
    return {"ms": round(median, 1), "cpu_ms": round((cpu_ms(process) - before) / turns, 1)}


def first_answers(page: Page) -> dict[str, Callable[[], object]]:
    """Return what a page opens with."""
    return {
        "set": lambda: page.ask("api/set"),
        "select": lambda: page.ask("api/select", {"rules": RULES}),
        "clips": lambda: page.ask("api/clips", {"rules": RULES}),
    }


def answers(page: Page) -> dict[str, Callable[[], object]]:
    """Return what a page asks then, each time with rules that were never asked before."""
    keys = [score["key"] for score in page.ask("api/set")["scores"]]
    turns = iter(range(10_000))

    def rules() -> list[str]:
        return [*RULES[:2], f"motion.mean >= {0.1 + next(turns) / 1e5:.5f}"]

    page.ask("api/histograms", {"rules": RULES, "keys": keys})
    for sort in ("look.luma", "random:1"):
        page.ask("api/clips", {"rules": RULES, "sort": sort})
    clip = page.ask("api/clips", {"rules": RULES})["clips"][0]["id"]
    return {
        "filter": lambda: page.ask("api/select", {"rules": rules()}),
        "histograms_of_12": lambda: page.ask("api/histograms", {"rules": rules(), "keys": keys[:12]}),
        "filter_and_page": lambda: page.ask("api/clips", {"rules": rules()}),
        "filter_sort_and_page": lambda: page.ask("api/clips", {"rules": rules(), "sort": "look.luma"}),
        "page_far_down": lambda: page.ask("api/clips", {"rules": RULES, "offset": 97 * next(turns), "limit": 120}),
        "search": lambda: page.ask("api/clips", {"rules": rules(), "words": "sails harbour"}),
        "judge": lambda: page.ask("api/judgements", {"clip_id": clip, "keep": True, "judge": "me"}),
    }


def measure(folder: Path) -> dict[str, Any]:
    """Return how long a server takes to answer about a set."""
    command = [sys.executable, "-c", "from longtake.cli import main; main()", "view", str(folder), "--no-open"]
    begun = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    page = Page(server.stdout.readline().strip())
    starts_ms = 1000 * (time.perf_counter() - begun)
    try:
        first = {name: timed(server.pid, work, 1) for name, work in first_answers(page).items()}
        later = {name: timed(server.pid, work, TURNS) for name, work in answers(page).items()}
        status = Path(f"/proc/{server.pid}/status")
        peak = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
    return {
        "start_ms": round(starts_ms, 1),
        "first": first,
        "later": later,
        "peak_mb": int(peak.split()[1]) // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--make", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.make:
        make_set(options.make, options.clips)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "set")
        make_set(folder, options.clips)
        found = {**measured_on(), "clips": options.clips, **measure(folder)}
    text = json.dumps(found, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
