"""Kill -9 at random moments over all steps: what the same command makes of it afterwards, against an undisturbed one.

    python benchmarks/trust/kills.py [--times 200] [--only STEP] [--seed 1] [--json results/trust-kills.json]

Each time a command is started on small films or sets of them, killed at a random moment, and called again to its end.
Killed are all its processes at once, or the asking one alone, or one of its workers. Half of the moments are spread
evenly over the time that the command does something, the others follow the n-th change of a name in the folder (a
table's commit, a clip that gets its name, a temporary file that appears), with 0 to 3 ms of chance. Then all tables
(but for times of day) and all files must be those of an undisturbed run, no temporary file may be left, and the model
may have been asked again only what was under way. The viewer is killed while one judges: what it said is saved must be
there, once. With Ray, where it is installed, there are fewer kills. Needs Linux and the demo's footage.
"""

import argparse
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "demo")]

import lance
from _machine import measured_on
from _nursery import Command
from _stage import ASKING, Stage, contents, differences, left_over, staged, unused
from _watching import Watching

from longtake.store import Store

PATIENCE_S = 300.0
MODES = ("all", "all", "parent", "worker")
MOST_KILLS = 4
"""Of one and the same work, before it may end."""
FETCHING = 4
"""Files at a time."""
SENT_AGAIN = 1 << 20
"""Bytes of one file that may be on their way when a kill comes: buffers of the system and of the reader."""


@dataclass
class Step:
    """A command, the state it is tried on, and how it went."""

    name: str
    share: int
    """Of 200 kills."""
    state: str
    command: Callable[[Stage], list[str]]
    good: tuple[int, ...] = (0,)
    begins: str = ""
    """Kills only follow changes from the first whose name holds this on."""
    wanted: dict[str, str] = field(default_factory=dict)
    whole_s: float = 0.0
    first_s: float = 0.0
    changes: int = 0
    first_change: int = 0


def model(stage: Stage) -> list[str]:
    """Return what names the model."""
    settings = [f"models.default.concurrency={ASKING}", "captions.lvd2m.rewrite=false"]
    return ["--url", stage.url, "--model", "none", *(word for text in settings for word in ("-s", text))]


def run_command(stage: Stage, *more: str, films: str = "films", to: str = "set", workers: int = 1) -> list[str]:
    places = [str(stage.recipe), str(stage.folder / films), "--to", str(stage.work / to)]
    return ["run", *places, "--workers", str(workers), *more]


def on_set(stage: Stage, name: str, *more: str) -> list[str]:
    return [name, str(stage.work / "set"), *more]


def export_to(stage: Stage, kind: str, *more: str) -> list[str]:
    return on_set(stage, "export", kind, "--to", str(stage.work / "out"), *more)


OTHER_RULES = ("-s", "select.keep=['duration_s >= 2']")
STEPS = [
    Step("run", 44, "", lambda s: run_command(s, workers=2)),
    Step("run, then compaction", 16, "many", lambda s: run_command(s, films="more"), begins="runs.lance/_versions"),
    Step("run, other rules", 16, "made", lambda s: run_command(s, *OTHER_RULES, "-s", "files.crf=30")),
    Step("caption", 28, "made", lambda s: on_set(s, "caption", "--workers", "1", "--step", "lvd2m", *model(s))),
    Step("ground", 12, "made", lambda s: on_set(s, "ground", "-s", "similar_above=0.5")),
    Step("export", 8, "made", lambda s: export_to(s, "webdataset")),
    Step("export, encoded", 12, "made", lambda s: export_to(s, "videofolder", "--fps", "12", "--size", "64x64")),
    Step("remove", 14, "captioned", lambda s: on_set(s, "remove", str(s.films / "film-1.mp4"))),
    Step("select --save", 8, "made", lambda s: on_set(s, "select", "--keep", "duration_s >= 2", "--save")),
    Step(
        "fetch",
        14,
        "",
        lambda s: [
            *("fetch", str(s.folder / "list.csv"), "--to", str(s.work / "videos")),
            *("--allow-private", "--rate", "500", "--workers", str(FETCHING)),
        ],
    ),
    Step("merge", 12, "parts", lambda s: ["merge", *parts(s), "--to", str(s.work / "set")]),
    Step("judge in the viewer", 8, "made", lambda s: on_set(s, "report")),
    Step("run on Ray", 4, "", lambda s: run_command(s, "--engine", "ray")),
]
JUDGING = "judge in the viewer"
COUNTED = ("asked_twice", "sent_again_bytes", "files_without_version")


def parts(stage: Stage) -> list[str]:
    return [str(stage.work / name) for name in ("one", "two")]


def undisturbed(command: list[str], good: tuple[int, ...], stage: Stage) -> None:
    """Run a command to its end."""
    process = stage.start(command)
    try:
        code = process.wait(PATIENCE_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    if code not in good:
        raise RuntimeError(f"{command} ended with {code}: {(stage.folder / 'said').read_text()[-3000:]}")


def prepare(stage: Stage) -> None:
    """Make the states that commands are tried on; nothing where they are there."""
    if (stage.folder / "states" / "parts").exists():
        return
    stage.put("")
    undisturbed(run_command(stage), (0,), stage)
    stage.keep("made")
    for table in (stage.work / "set").glob("*.lance"):
        split_up(table)
    stage.keep("many")
    stage.put("made")
    undisturbed(on_set(stage, "caption", "--step", "lvd2m", *model(stage)), (0,), stage)
    stage.keep("captioned")
    stage.put("")
    for number, part in enumerate(("one", "two"), 1):
        undisturbed(run_command(stage, "--shard", f"{number}/2", to=part), (0,), stage)
    stage.keep("parts")


def split_up(table: Path) -> None:
    """Write a table anew as many small commits, so that compaction has something to do."""
    data = lance.dataset(str(table)).to_table()
    shutil.rmtree(table)
    pieces = 9
    for number in range(pieces):
        first, last = (data.num_rows * k // pieces for k in (number, number + 1))
        lance.write_dataset(data.slice(first, last - first), str(table), mode="append" if number else "create")


def learn(step: Step, stage: Stage) -> None:
    """Run a step undisturbed: how long it takes, which names change, and what it leaves."""
    known = stage.folder / "learned" / f"{step.name}.json"
    if not known.exists():
        stage.put(step.state)
        watching = Watching(stage.work)
        begun = time.monotonic()
        process = stage.start(step.command(stage))
        while process.poll() is None:
            watching.wait(0.2)
        watching.close()
        whole_s = time.monotonic() - begun
        if process.returncode not in step.good:
            raise RuntimeError(f"{step.name}: {process.returncode}, {stage.said[-3000:]}")
        first = next((n for n, (_, name) in enumerate(watching.seen) if step.begins in name), 0)
        facts = [whole_s, watching.seen[first][0] - begun, len(watching.seen), first, contents(stage.work)]
        known.parent.mkdir(exist_ok=True)
        known.write_text(json.dumps(facts))
    step.whole_s, step.first_s, step.changes, step.first_change, step.wanted = json.loads(known.read_text())


def kill(mode: str, pid: int, chance: random.Random) -> str:
    """Kill a command's processes; return which it were."""
    if mode == "all":
        os.killpg(pid, signal.SIGKILL)
        return "all"
    if mode == "worker":
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            os.kill(int(chance.choice(children)), signal.SIGKILL)
            return "worker"
    os.kill(pid, signal.SIGKILL)
    return "parent"


def killed(step: Step, stage: Stage, chance: random.Random) -> dict[str, Any] | None:
    """Start a command and kill it; return how and when, None where it ended before that."""
    mode = chance.choice(MODES)
    at_time = not step.begins and chance.random() < 0.5
    moment_s = chance.uniform(step.first_s, step.whole_s)
    number, wait_s = chance.randint(step.first_change + 1, step.changes), chance.uniform(0, 0.003)
    watching = Watching(stage.work)
    begun = time.monotonic()
    process = stage.start(step.command(stage))
    while process.poll() is None:
        left_s = moment_s - (time.monotonic() - begun) if at_time else 0.2
        if (at_time and left_s <= 0) or (not at_time and len(watching.seen) >= number):
            break
        watching.wait(min(0.2, left_s))
    if process.poll() is None and not at_time:
        time.sleep(wait_s)
    mode = "none" if process.poll() is not None else kill(mode, process.pid, chance)
    after_s = time.monotonic() - begun
    last = watching.seen[-1][1] if watching.seen else ""
    watching.close()
    code = process.wait(PATIENCE_S)
    if mode in ("none", "worker") and code not in step.good:
        said = stage.said[-1000:]
        raise RuntimeError(f"killed: {mode}, and it ended with {code}: {said}")
    if step.name == "run on Ray" and mode != "worker":
        end_left_over(stage)  # Ray's own processes end by themselves, some seconds later
    if mode == "none":
        return None
    moment = "time" if at_time else "change"
    return {"killed": mode, "moment": moment, "after_s": round(after_s, 3), "after_change": kind_of(last)}


def once(step: Step, stage: Stage, chance: random.Random, most: int) -> dict[str, Any]:
    """Kill a command up to four times, call it to its end, and return what came of it."""
    stage.put(step.state)
    kills: list[dict[str, Any]] = []
    problems = []
    try:
        for _ in range(min(most, chance.randint(1, MOST_KILLS))):
            one = killed(step, stage, chance)
            if one is None:
                break
            kills.append(one)
            if one["killed"] == "worker":
                break  # it went on without it to its end
        else:
            undisturbed(step.command(stage), step.good, stage)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        problems.append(f"{error}")
    problems += differences(contents(stage.work), step.wanted)
    twice = stage.twice()
    if twice > ASKING * len(kills):
        problems.append(f"{twice} answers paid twice")
    again = stage.files.again() if stage.files else 0
    if again > len(kills) * FETCHING * SENT_AGAIN:
        problems.append(f"{again} bytes sent again")
    torn, unheld = unused(stage.work)
    if torn:
        problems.append(f"{torn} temporary files in tables")
    if pids := left_over_soon(stage):
        problems.append(f"processes left: {pids}")
        end_left_over(stage)
    told = {"asked_twice": twice, "sent_again_bytes": again, "files_without_version": unheld, "problems": problems}
    return {"step": step.name, "kills": kills, **told}


def left_over_soon(stage: Stage) -> list[int]:
    """Return what is still there some seconds after."""
    for _ in range(100):
        if not (pids := left_over(stage)):
            break
        time.sleep(0.1)
    return pids


def end_left_over(stage: Stage) -> None:
    for pid in left_over(stage):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def judge_once(stage: Stage, chance: random.Random) -> dict[str, Any]:
    """Kill the viewer while somebody judges; all that it said is saved must be there, once."""
    stage.put("made")
    clips = sorted(Store(stage.work / "set").read("clips", ["id"])["id"].to_pylist())
    saved: list[tuple[str, str]] = []
    problems: list[str] = []
    last = ""
    for turn in range(2):
        process, url = viewer(stage)
        watching = Watching(stage.work)
        try:
            wanted = chance.randint(1, 60) if turn == 0 else 10**9
            for number in range(150 if turn == 0 else 5):
                clip, judge = clips[number % len(clips)], f"{turn}-{number}"
                body = json.dumps({"clip_id": clip, "keep": True, "judge": judge}).encode()
                asked = start_asking(url, body)
                while asked.poll() is None:
                    watching.wait(0.01)
                    if len(watching.seen) >= wanted and process.poll() is None:
                        time.sleep(chance.uniform(0, 0.003))
                        process.kill()
                said = asked.communicate()[0]
                if '"saved"' in said:
                    saved.append((clip, judge))
                elif process.poll() is None:
                    problems.append(f"not saved: {said}")
                if process.poll() is not None:
                    break
            else:
                process.kill()
        finally:
            process.kill()
            last = last or (watching.seen[-1][1] if watching.seen else "")
            watching.close()
    rows = Counter((row["clip_id"], row["judge"]) for row in Store(stage.work / "set").read("judgements").to_pylist())
    problems += [f"{one} is there {rows[one]} times" for one in saved if rows[one] != 1]
    if rows.total() > len(saved) + 2:  # at most the one under way at each end
        problems.append(f"{rows.total()} judgements of {len(saved)}")
    unheld = unused(stage.work)[1]
    kills = [{"killed": "all", "moment": "change", "after_s": 0.0, "after_change": kind_of(last)}]
    told = {"asked_twice": 0, "sent_again_bytes": 0, "files_without_version": unheld, "problems": problems}
    return {"step": JUDGING, "kills": kills, **told}


def start_asking(url: str, body: bytes) -> "subprocess.Popen[str]":
    """Send a judgement from a process of its own, so that changes in the folder can be waited for meanwhile."""
    code = "import sys, urllib.request as r; q = r.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': "
    code += "'application/json'}); print(r.urlopen(q, timeout=30).read().decode())"
    command = [sys.executable, "-S", "-c", code, f"{url}api/judgements", body.decode()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def viewer(stage: Stage) -> tuple[Command, str]:
    """Start the viewer and wait until it answers."""
    process = stage.start([*on_set(stage, "view"), "--no-open"])
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up and process.poll() is None:
        said = stage.said.split("\n")[0].strip()
        if said.startswith("http"):
            url = said if said.endswith("/") else said + "/"
            urllib.request.urlopen(f"{url}api/set", timeout=60).read()
            return process, url
        time.sleep(0.05)
    raise RuntimeError(f"the viewer didn't start: {(stage.folder / 'said').read_text()}")


def kind_of(change: str) -> str:
    """Return what sort of change a name tells of."""
    if ".lance/" in change:
        table, _, rest = change.partition(".lance/")
        return f"{'commit of' if rest.startswith('_versions') else 'data of'} {table.rpartition('/')[2].lstrip('+=-')}"
    if "clips/" in change:
        return "unfinished clip" if ".tmp" in change else "clip"
    return Path(change).name.lstrip("+=-.").split("-")[0][:30] if "/" in change else change


def tell(found: list[dict[str, Any]], steps: dict[str, float]) -> dict[str, Any]:
    """Sum up by step."""
    by_step: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in found:
        by_step[one["step"]].append(one)
    kills = [each for one in found for each in one["kills"]]
    rows = {}
    for name, some in by_step.items():
        mine = [each for one in some for each in one["kills"]]
        rows[name] = {
            "kills": len(mine),
            "ends_compared": len(some),
            "undisturbed_s": round(steps.get(name, 0.0), 1),
            "of": dict(Counter(each["killed"] for each in mine)),
            "moments": dict(Counter(each["moment"] for each in mine)),
            "differed": sum(bool(one["problems"]) for one in some),
            **{word: sum(one[word] for one in some) for word in COUNTED},
        }
    return {
        "kills": len(kills),
        "ends_compared": len(found),
        "differed": sum(bool(one["problems"]) for one in found),
        "steps": rows,
        "last_change_before": dict(Counter(each["after_change"] for each in kills).most_common()),
        "problems": [one for one in found if one["problems"]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill -9 at random moments over all steps.")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--only", action="append", metavar="STEP", help="Only this step; repeat it.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="Where to work; the same folder again is gone on with."
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    steps = [step for step in STEPS if importlib.util.find_spec("ray") or "Ray" not in step.name]
    steps = [step for step in steps if not options.only or step.name in options.only]
    whole = sum(step.share for step in steps)
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = options.to or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        journal = folder / "found.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        found: list[dict[str, Any]] = [json.loads(line) for line in lines]
        chance = random.Random(f"{options.seed} {len(found)}")
        with staged(folder) as stage:
            prepare(stage)
            while True:
                had = Counter({one["step"]: 0 for one in found})
                for one in found:
                    had[one["step"]] += len(one["kills"])
                if had.total() >= options.times:
                    break
                # In turn, so that wherever it is stopped all steps have had their part.
                step = min(steps, key=lambda step: had[step.name] / step.share)
                left = max(1, round(options.times * step.share / whole) - had[step.name])
                learn(step, stage)
                tried = judge_once(stage, chance) if step.name == JUDGING else once(step, stage, chance, left)
                found.append(tried)
                print(json.dumps(tried), flush=True)
                with journal.open("a") as file:
                    file.write(json.dumps(tried) + "\n")
                if options.json:
                    told = tell(found, {step.name: step.whole_s for step in steps})
                    options.json.write_text(json.dumps({**measured_on(), **told}, indent=1) + "\n")
    told = tell(found, {step.name: step.whole_s for step in steps})
    print(json.dumps({name: value for name, value in told.items() if name != "problems"}, indent=1))


if __name__ == "__main__":
    main()
