"""Whether one process that goes on for long grows: a set that grows run by run, asked by a viewer all the while.

    python benchmarks/trust/long.py [--runs 100] [--asks 20] [--json results/trust-long.json]

Each turn adds a short film to the sources, calls `longtake.run` on the growing set, tries other rules with
`select_set`, and asks the viewer's server, which runs in the same process, so many times for grids, clips and plots.
Memory is that of this process, without workers, after each turn; growth is told per 1,000 turns, by a line through the
second half. A set's own size counts: ten films of a second are 10 rows more. What a
single run of thousands of videos takes is `many.py`'s to say.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "demo")]

import httpx2
import numpy as np
from _machine import measured_on
from make_videos import Take, footage, write

from longtake import run
from longtake.select_set import select_set
from longtake.viewer import LOOPBACK_HOST, bound, server
from longtake.viewer.app import build

SETTINGS = ["select.keep=['duration_s >= 0.5']", "shots.step='content'", "files.preset='ultrafast'"]
SIZE, FRAMES, FPS = (96, 64), 24, 24


def resident_kib() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


@contextmanager
def served(folder: Path) -> Iterator[httpx2.Client]:
    """Serve a set from a thread of this process."""
    with bound(LOOPBACK_HOST, 0) as listener:
        port = listener.getsockname()[1]
        listener.listen()
        serving = server(build(folder, host=LOOPBACK_HOST, port=port, token=None))
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with httpx2.Client(base_url=f"http://{LOOPBACK_HOST}:{port}/", timeout=120) as client:
                yield client
        finally:
            serving.should_exit = True
            thread.join()


def ask(client: httpx2.Client, times: int, turn: int) -> None:
    """Ask what a page asks as somebody moves a threshold and looks at clips."""
    for number in range(times):
        rules = [f"duration_s >= {0.1 + 0.01 * number:.2f}", f"motion.mean >= {0.001 * (turn % 10):.3f}"]
        found = client.post("api/clips", json={"rules": rules}).raise_for_status().json()["clips"]
        client.post("api/select", json={"rules": rules}).raise_for_status()
        client.get("api/set").raise_for_status()
        if found:
            client.get(f"api/clips/{found[0]['id']}")


def growth(values: list[int], each: int) -> float:
    """Return MiB per 1,000 things, so many of which came with each value: by a line through the second half."""
    half = values[len(values) // 2 :]
    slope = float(np.polyfit(np.arange(len(half)), np.array(half) / 1024, 1)[0])
    return round(slope / each * 1000, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Growth of one process over many runs and many questions.")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--asks", type=int, default=20, help="Rounds of questions a turn, of four each.")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    pictures = footage("carphone_pristine.mp4", 176)
    running: list[int] = []
    asking: list[int] = []
    with tempfile.TemporaryDirectory(prefix="long-") as name:
        films, made = Path(name) / "films", Path(name) / "set"
        films.mkdir()

        def turn(number: int) -> None:
            take = Take(pictures[number % 100 :], FRAMES, zoom=1 + number % 7 / 10, sweeps=number % 3)
            write(films / f"film-{number}.mp4", [take], SIZE, fps=FPS)
            run("lvd2m", [films], made, settings=SETTINGS, workers=1)
            select_set(made, ["duration_s >= 0.9", "motion.mean >= 0.01"])

        turn(0)
        with served(made) as client:
            for number in range(1, options.runs + 1):
                turn(number)
                running.append(resident_kib())
                ask(client, options.asks, number)
                asking.append(resident_kib())
                if number % 10 == 0:
                    print(f"{number} runs: {asking[-1] / 1024:.0f} MiB", flush=True)
    by_asking = [sum(after - before for before, after in zip(running, asking, strict=True))]
    told: dict[str, Any] = {
        "runs": options.runs,
        "questions": 4 * options.asks * options.runs,
        "mib_first": round(asking[0] / 1024),
        "mib_half": round(asking[len(asking) // 2] / 1024),
        "mib_last": round(asking[-1] / 1024),
        "mib_more_in_1000_runs_with_questions": growth(asking, 1),
        "mib_that_came_while_asking": round(by_asking[0] / 1024, 1),
    }
    print(json.dumps(told, indent=1))
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), **told}, indent=1) + "\n")


if __name__ == "__main__":
    main()
