"""Sets of many clips: how long and in how much memory they are selected, planned, looked at, reported, compacted.

    python benchmarks/scale.py [--clips 100000] [--folder FOLDER] [--only select ...] [--json results/scale.json]

A set of made-up rows is written in pieces: ten clips a video, twelve signals a video without their numbers, scores at
random, a fiftieth of the clips captioned. No video exists; for planning there is an empty file for each. Each
measurement is a process of its own: seconds of the clock and of the processor, and the most memory it held. What is
written in FOLDER is left behind; without one it is a temporary folder.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from _machine import measured_on
from viewer import Page, milliseconds

from longtake.engines import connect
from longtake.merging import merge_sets
from longtake.planning import drop_unfinished, plan_work
from longtake.recipe import Recipe, load, score_keys
from longtake.report import write_report
from longtake.schemas import SCHEMAS, score_schema
from longtake.select_set import select_set
from longtake.selecting import apply_rules
from longtake.sources.files import find_videos
from longtake.store import Store

CLIPS_A_VIDEO = 10
CAPTIONED = 50
AT_ONCE = 500_000
COMMITS = 20
VECTORS = 100_000
LENGTH = 96
RULES = ["duration_s >= 8", "motion.mean >= 0.3", "look.border <= 0.5"]
OTHER = [*RULES[:2], "look.border <= 0.4"]


def video_names(start: int, stop: int) -> list[str]:
    """Return ids as videos have them."""
    return [f"film-{number:08d}-{number * 2654435761 % 2**40:010x}" for number in range(start, stop)]


def clip_batches(recipe: Recipe, clips: int, first: int = 0) -> Iterator[pa.RecordBatch]:
    """Yield rows of clips, scores at random."""
    judged = [f"{use.label}.{part}" for use in recipe.judges.values() for part in use.step.scores]
    schema = score_schema(SCHEMAS["clips"], [key for key in score_keys(recipe) if key not in judged])
    rng = np.random.default_rng(first)
    for start in range(first, first + clips, AT_ONCE):
        n = min(AT_ONCE, first + clips - start)
        names = video_names(start // CLIPS_A_VIDEO, (start + n) // CLIPS_A_VIDEO + 1)
        owners = [names[(start + i) // CLIPS_A_VIDEO - start // CLIPS_A_VIDEO] for i in range(n)]
        at = ((start + np.arange(n)) % CLIPS_A_VIDEO) * 60.0
        lengths = rng.exponential(12, n) + 0.5
        known: dict[str, Any] = {
            "id": [
                f"{o}_{int(a * 1000):08d}_{int((a + s) * 1000):08d}"
                for o, a, s in zip(owners, at, lengths, strict=True)
            ],
            "video_id": owners,
            "start_s": at,
            "end_s": at + lengths,
            "start_frame": (at * 25).astype(np.int64),
            "end_frame": ((at + lengths) * 25).astype(np.int64),
            "duration_s": lengths,
            "width": np.full(n, 1280),
            "height": np.full(n, 720),
            "fps": np.full(n, 25.0),
            "transitions": np.zeros(n, np.int32),
        }
        columns = []
        for field in schema:
            if pa.types.is_struct(field.type):
                parts = [pa.array(rng.random(n).astype(np.float32).astype(np.float64)) for _ in field.type]
                columns.append(pa.StructArray.from_arrays(parts, fields=list(field.type)))
            else:
                columns.append(
                    pa.array(known[field.name], field.type) if field.name in known else pa.nulls(n, field.type)
                )
        yield pa.record_batch(columns, schema=schema)


def plain_batches(table: str, rows: int, make: Callable[[int, int], dict[str, Any]]) -> Iterator[pa.RecordBatch]:
    """Yield rows of a table with some columns made, the others null."""
    for start in range(0, rows, AT_ONCE):
        stop = min(rows, start + AT_ONCE)
        known = make(start, stop)
        columns = [
            pa.array(known[f.name], f.type) if f.name in known else pa.nulls(stop - start, f.type)
            for f in SCHEMAS[table]
        ]
        yield pa.record_batch(columns, schema=SCHEMAS[table])


def make(folder: Path, clips: int) -> None:
    """Write the tables and the recipe of a made-up set, and an empty file for every video."""
    recipe = load("longtake", [f"select.keep={json.dumps(RULES)}"])
    store, videos = Store(folder), clips // CLIPS_A_VIDEO
    films = folder.parent / "films"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    names = video_names(0, videos)
    paths = [films / f"{number // 1000:05d}" / f"{number:08d}.mp4" for number in range(videos)]
    times = []
    for number, path in enumerate(paths):
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.touch()
        times.append(path.stat().st_mtime_ns)
    batches = clip_batches(recipe, clips)
    first = next(batches)
    store.widen("clips", first.schema)
    store.extend("clips", [first])
    for batch in batches:
        store.extend("clips", [batch])

    def film(start: int, stop: int) -> dict[str, Any]:
        n = stop - start
        facts: dict[str, Any] = {"bytes": [0] * n, "width": [1280] * n, "height": [720] * n, "fps": [25.0] * n}
        facts |= {"codec": ["h264"] * n, "duration_s": [600.0] * n, "frames": [15000] * n, "damage": [[]] * n}
        where = {"id": names[start:stop], "path": [str(path) for path in paths[start:stop]]}
        return facts | where | {"modified_ns": times[start:stop], "made_by": [recipe.key] * n}

    def shot(start: int, stop: int) -> dict[str, Any]:
        return {
            "video_id": [names[row // CLIPS_A_VIDEO] for row in range(start, stop)],
            "number": [row % CLIPS_A_VIDEO for row in range(start, stop)],
            "start_s": [row % CLIPS_A_VIDEO * 60.0 for row in range(start, stop)],
            "end_s": [row % CLIPS_A_VIDEO * 60.0 + 60 for row in range(start, stop)],
        }

    keys = [use.key for use in recipe.signals.values()]

    def signal(start: int, stop: int) -> dict[str, Any]:
        n = stop - start
        owners = [names[row // len(keys)] for row in range(start, stop)]
        return {"video_id": owners, "key": [keys[row % len(keys)] for row in range(start, stop)], "times": [[]] * n}

    def caption(start: int, stop: int) -> dict[str, Any]:
        n, owners = stop - start, [names[row * CAPTIONED // CLIPS_A_VIDEO] for row in range(start, stop)]
        text = {"text": ["A woman walks a dog along the harbour while boats turn slowly."] * n, "problems": [[]] * n}
        return text | {"clip_id": owners, "video_id": owners, "step": ["lvd2m"] * n, "kind": ["refined"] * n}

    for table, rows, made in (
        ("videos", videos, film),
        ("shots", clips, shot),
        ("signals", videos * len(keys), signal),
        ("captions", clips // CAPTIONED, caption),
    ):
        store.widen(table, SCHEMAS[table])
        store.extend(table, plain_batches(table, rows, made))
    store.compact()


def vectors(folder: Path) -> dict[str, Any]:
    """Index the vectors of a sample of clips, and look for the neighbours of some."""
    rng = np.random.default_rng(0)
    made = rng.standard_normal((VECTORS, LENGTH), np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    schema = SCHEMAS["vectors"]
    wide = pa.FixedSizeListArray.from_arrays(pa.array(made.ravel()), LENGTH)
    schema = schema.set(schema.get_field_index("vector"), pa.field("vector", wide.type))
    names = pa.array([str(number) for number in range(VECTORS)])
    zeros = pa.array(np.zeros(VECTORS))
    store, begun = Store(folder), time.process_time()
    store.replace("vectors", [pa.record_batch([names, names, zeros, zeros, wide], schema=schema)], "", schema)
    indexed = time.process_time()
    store.nearest("vectors", made[:1024], 32, 0.9)
    return {"index_cpu_s": round(indexed - begun, 2), "query_cpu_ms": round((time.process_time() - indexed) / 1.024, 2)}


def view(folder: Path) -> dict[str, Any]:
    """Ask the server what a page asks, by the clock."""
    command = [sys.executable, "-c", "from longtake.cli import main; main()", "view", str(folder), "--no-open"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    page = Page(server.stdout.readline().strip())
    asked = {
        "set": lambda: page.ask("api/set"),
        "rules": lambda: page.ask("api/select", {"rules": RULES}),
        "first_page": lambda: page.ask("api/clips", {"rules": RULES}),
        "other_rules": lambda: page.ask("api/select", {"rules": OTHER}),
        "other_page": lambda: page.ask("api/clips", {"rules": OTHER}),
        "sorted_page": lambda: page.ask("api/clips", {"rules": OTHER, "sort": "motion.mean"}),
        "histograms_of_3": lambda: page.ask("api/histograms", {"rules": OTHER, "keys": [r.split()[0] for r in OTHER]}),
    }
    try:
        said = {f"{name}_s": round(milliseconds(work) / 1000, 2) for name, work in asked.items()}
        status = Path(f"/proc/{server.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
    return {**said, "peak_mb": int(peak.split()[1]) // 1024}


def plan(folder: Path) -> dict[str, Any]:
    """Plan a run over all videos again, none of which is new."""
    store, recipe = Store(folder), load(str(folder / "recipe.toml"))
    found = find_videos([folder.parent / "films"])
    listed = time.process_time()
    drop_unfinished(store)
    with connect() as engine:
        made = plan_work(store, recipe, found, engine, ()).plan
    return {"done_before": made.done_before, "after_listing_cpu_s": round(time.process_time() - listed, 2)}


def commit(folder: Path) -> dict[str, Any]:
    """Add the rows of few videos again and again, as a scan does, then compact."""
    recipe = load(str(folder / "recipe.toml"))
    store, wall = Store(folder), time.perf_counter()
    base = store.count("clips") * 4
    for number in range(COMMITS):
        store.extend("clips", list(clip_batches(recipe, 640, base + number * 640)))
        first = (base + number * 640) // CLIPS_A_VIDEO
        names = video_names(first, first + 64)
        store.append("shots", [{"video_id": name, "number": n} for name in names for n in range(CLIPS_A_VIDEO)])
        store.append("signals", [{"video_id": name, "key": f"{n}"} for name in names for n in range(12)])
        store.append("videos", [{"id": name, "made_by": recipe.key} for name in names])
    done = time.perf_counter()
    store.compact()
    return {
        "commits_of_64_videos_per_s": round(COMMITS / (done - wall), 2),
        "compact_s": round(time.perf_counter() - done, 2),
    }


def merge(folder: Path) -> dict[str, Any]:
    """Join the set into a new one; copies are not looked for, since these signals have no numbers."""
    part, to = folder.parent / "part", folder.parent / "joined"
    shutil.copytree(folder, part, copy_function=os.link)
    text = (folder / "recipe.toml").read_text()
    before, _, after = text.partition("[copies]")
    (part / "recipe.toml").unlink()
    (part / "recipe.toml").write_text(before + "[judges" + after.partition("[judges")[2])
    try:
        done = merge_sets([part], to)
        return {"videos": done.videos, "clips": done.funnel[0].clips}
    finally:
        shutil.rmtree(part)
        shutil.rmtree(to, ignore_errors=True)


def save(folder: Path) -> dict[str, Any]:
    """Store what rules say of all clips, first of a set that has no choice yet, then with another rule."""
    store, recipe = Store(folder), load(str(folder / "recipe.toml"))
    _, kept = apply_rules(store, recipe.rules)
    first = time.process_time()
    other = load("longtake", [f"select.keep={json.dumps(OTHER)}"])
    _, then = apply_rules(store, other.rules)
    return {"kept": kept, "then": then, "second_cpu_s": round(time.process_time() - first, 2)}


SECTIONS: dict[str, Callable[[Path], Any]] = {
    "save": save,
    "select": lambda folder: {"kept": select_set(folder, RULES).funnel[-1].clips},
    "plan": plan,
    "view": view,
    "report": lambda folder: {"bytes": write_report(folder).stat().st_size},
    "vectors": vectors,
    "commit": commit,
    "merge": merge,
}


def measure(section: str, folder: Path) -> dict[str, Any]:
    """Run a section in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--section", section, "--folder", str(folder)], stdout=subprocess.PIPE
    )
    if done.returncode:
        return {"failed": f"ended with {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_section(name: str, folder: Path) -> None:
    begun = time.perf_counter()
    found = SECTIONS[name](folder)
    wall = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"wall_s": round(wall, 2), "cpu_s": round(time.process_time(), 2), "peak_mb": peak, **found}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--section", choices=SECTIONS, help=argparse.SUPPRESS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.make:
        make(options.folder, options.clips)
        return
    if options.section:
        run_section(options.section, options.folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)) / "set"
        found: dict[str, Any] = {**measured_on(), "clips": options.clips}
        if not folder.exists():
            begun = time.perf_counter()
            command = [sys.executable, __file__]
            # In a process of its own: what this one has held, those that it starts would be said to hold.
            subprocess.run([*command, "--make", "--folder", str(folder), "--clips", str(options.clips)], check=True)
            found["made_s"] = round(time.perf_counter() - begun, 1)
        found["bytes"] = {
            path.name: sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            for path in sorted(folder.glob("*.lance"))
        }
        for section in options.only:
            found[section] = measure(section, folder)
            print(section, json.dumps(found[section]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
