"""Full disks and used up quotas in the middle of every kind of write, disks only to be read, workers without memory.

    python benchmarks/trust/disk.py [--parts 3] [--only STEP] [--only-quota] [--json results/trust-disk.json]

Sets lie on a small disk in memory (tmpfs), which is made so small that it fills up after a part of what a command
writes, evenly spread over all of it; then one that has no room for another file, and one that can only be read. Then
they lie on a disk of btrfs (a file, mounted) with room, in a folder with a quota: the command is stopped after a part
of the names that it changes, the quota is set to what is taken just then, and the command goes on. It must end with
status 1 (fetching: 3), say in a line what is wrong, and leave a set that `longtake select` reads; with room again the
same command must end as an undisturbed one. Workers are killed as the system does that runs out of memory, or get less
address space than they need. Needs Linux, root, and the demo footage; for quotas btrfs-progs.
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
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "demo")]

from _machine import measured_on
from _stage import Stage, contents, differences, staged
from _watching import Watching
from kills import STEPS, Step, kind_of, prepare, undisturbed, viewer
from kills import learn as learn_changes

from longtake.select_set import select_set
from longtake.store import Store

ROOM, FILES = 256 << 20, 100_000
ROOMY, UNLIMITED = f"rw,size={ROOM},nr_inodes={FILES}", "quota=none"
WHOLE, WHOLE_BYTES = ".whole", 8 << 30
"""Where the disk is mounted, of which a folder has a quota, and its size; hardly any of it is taken."""
LEFT_OUT = ("run on Ray", "run, then compaction", "judge in the viewer")
"""Judging has a way of its own."""
FETCH = "fetch"
"""It stops by itself while there are 2 GB left, so only a quota gets in its way."""
SAYS = (
    "the disk is full",
    "quota of disk space",
    "can only be read",
    "No space left",
    "disk is full",
    "Read-only",
    "Disk quota exceeded",
)


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """Mount a disk in memory."""
    folder.mkdir()
    call("mount", "-t", "tmpfs", "-o", ROOMY, "tmpfs", folder)
    try:
        yield folder
    finally:
        call("umount", "-l", folder)
        folder.rmdir()


@contextmanager
def quota_disk(folder: Path) -> Iterator[Path]:
    """Mount a folder, which may be given a quota, of a disk in a file."""
    folder.mkdir()
    image, whole = folder.with_suffix(".img"), folder.with_suffix(WHOLE)
    whole.mkdir()
    with image.open("wb") as file:
        file.truncate(WHOLE_BYTES)
    call("mkfs.btrfs", "--quiet", image)
    call("mount", "-o", "loop", image, whole)
    try:
        call("btrfs", "quota", "enable", whole)
        call("btrfs", "subvolume", "create", whole / "room")
        call("mount", "--bind", whole / "room", folder)
        yield folder
    finally:
        call("umount", "-l", folder)
        call("umount", "-l", whole)


def why_no_quota() -> str:
    """Return why no disk with quotas can be made here, empty where one can."""
    missing = [name for name in ("mkfs.btrfs", "btrfs") if not shutil.which(name)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    return "" if "btrfs" in Path("/proc/filesystems").read_text() else "this system knows no btrfs"


def call(*words: str | Path) -> str:
    """Run a program; return what it says."""
    return subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, check=True, text=True).stdout


def squeeze(folder: Path, options: str) -> None:
    """Mount a disk anew with other options, or give its folder another quota."""
    name, _, size = options.partition("=")
    if name == "quota":
        # From outside: within the folder even this takes room.
        call("btrfs", "qgroup", "limit", size, group(folder)[0], folder.with_suffix(WHOLE))
    else:
        call("mount", "-o", f"remount,{options}", folder)


def ease(folder: Path, options: str) -> None:
    """Take back what was done to a disk."""
    squeeze(folder, UNLIMITED if options.startswith("quota=") else ROOMY)


def group(folder: Path) -> list[str]:
    """Return the name of a folder's quota, and how many bytes count against it."""
    return call("btrfs", "qgroup", "show", "--sync", "--raw", "-f", folder).splitlines()[-1].split()[:2]


def used(folder: Path) -> tuple[int, int]:
    """Return bytes and files on a disk."""
    facts = os.statvfs(folder)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize, facts.f_files - facts.f_ffree


def learn(step: Step, stage: Stage) -> tuple[int, int]:
    """Run a step undisturbed: what it leaves, and how many bytes and files more than before there were at most."""
    stage.put(step.state)
    before = used(stage.room)
    most = (0, 0)
    process = stage.start(step.command(stage))
    while process.poll() is None:
        now = used(stage.room)
        most = max(most[0], now[0] - before[0]), max(most[1], now[1] - before[1])
        time.sleep(0.002)
    if process.returncode not in step.good:
        raise RuntimeError(f"{step.name}: {(stage.folder / 'said').read_text()[-2000:]}")
    step.wanted = contents(stage.work)
    return most


def hurt(step: Step, stage: Stage, what: str, options: str, after: int = 0) -> dict[str, Any]:
    """Run a step on a disk with less than it needs, look at what it says and leaves, and go on with room.

    The disk gets so after so many changes of names.
    """
    watching = Watching(stage.work)
    if not after:
        squeeze(stage.room, options)
    process = stage.start(step.command(stage))
    if after:
        while process.poll() is None and len(watching.seen) < after:
            watching.wait(0.2)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGSTOP)
            squeeze(stage.room, f"{options}{group(stage.room)[1]}")
            os.killpg(process.pid, signal.SIGCONT)
    while process.poll() is None:
        watching.wait(0.2)
    watching.wait(0)
    watching.close()
    code, said = process.returncode, stage.said
    problems = []
    if code == 0:
        problems.append("it ended well")
    else:
        if "Traceback" in said or "panicked" in said:
            problems.append(f"a traceback: {said[-3000:]}")
        if not any(words in said for words in SAYS):
            problems.append(f"it doesn't say what is wrong: {said[-500:]}")
        if code not in (1, 3):
            problems.append(f"status {code}")
    made = stage.work / "set"
    if (made / "recipe.toml").exists():
        try:
            select_set(made)
        except Exception as error:  # whatever it is, it counts and is told
            problems.append(f"the set can't be read: {error}")
    ease(stage.room, options)
    last = watching.seen[-1][1] if watching.seen else ""
    try:
        undisturbed(step.command(stage), step.good, stage)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        problems.append(f"with room again: {error}")
    problems += differences(contents(stage.work), step.wanted)
    told = [line for line in said.replace("\n", " ").split("longtake: ") if any(words in line for words in SAYS)]
    return {
        **{"step": step.name, "what": what, "status": code, "said": " ".join(told[-1].split())[:300] if told else ""},
        **{"after_change": kind_of(last), "problems": problems},
    }


def hurts(step: Step, stage: Stage, parts: int) -> Iterator[dict[str, Any]]:
    """Try a step on all kinds of disks in memory."""
    size, files = learn(step, stage)
    for k in range(parts):
        stage.put(step.state)
        room = used(stage.room)[0] + max(4096, size * (2 * k + 1) // (2 * parts))
        yield hurt(step, stage, "full", f"size={room}")
    stage.put(step.state)
    yield hurt(step, stage, "no room for another file", f"nr_inodes={used(stage.room)[1] + files // 2}")
    stage.put(step.state)
    yield hurt(step, stage, "can only be read", "ro")


def over_quota(step: Step, stage: Stage, parts: int) -> Iterator[dict[str, Any]]:
    """Try a step with quotas."""
    learn_changes(step, stage)
    for k in range(parts):
        stage.put(step.state)
        yield hurt(step, stage, "over quota", "quota=", after=1 + step.changes * (2 * k + 1) // (2 * parts))


def judge(stage: Stage, what: str, options: str) -> dict[str, Any]:
    """Judge a clip in the viewer on such a disk, and again with room."""
    clip = Store(stage.work / "set").read("clips", ["id"])["id"][0].as_py()
    process, url = viewer(stage)
    problems = []
    try:
        squeeze(stage.room, options)
        body = json.dumps({"clip_id": clip, "keep": True, "judge": "me"}).encode()
        request = urllib.request.Request(f"{url}api/judgements", body, {"Content-Type": "application/json"})
        status, said = asked(request)
        if status == 200 or not any(words in said for words in SAYS):
            problems.append(f"{status}: {said}")
        ease(stage.room, options)
        if (again := asked(request))[0] != 200:
            problems.append(f"with room again: {again}")
    finally:
        process.kill()
        ease(stage.room, options)
    rows = Store(stage.work / "set").count("judgements")
    if rows != 1:
        problems.append(f"{rows} judgements")
    return {
        **{"step": "judge in the viewer", "what": what, "status": status, "said": said[:300]},
        **{"after_change": "commit of judgements", "problems": problems},
    }


def asked(request: urllib.request.Request) -> tuple[int, str]:
    """Send a request; return the status and what is answered."""
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def workers_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def out_of_memory(step: Step, stage: Stage, what: str) -> dict[str, Any]:
    """Kill every worker as soon as it is there, or leave it no address space; then try what failed again."""
    stage.put(step.state)
    process = stage.start(step.command(stage))
    met: set[int] = set()
    while process.poll() is None:
        for pid in workers_of(process.pid):
            if pid in met:
                continue
            met.add(pid)
            try:
                if what == "workers killed":
                    time.sleep(0.3)
                    os.kill(pid, signal.SIGKILL)
                else:
                    resource.prlimit(pid, resource.RLIMIT_AS, (350 << 20, 350 << 20))
            except ProcessLookupError:
                continue
        time.sleep(0.01)
    code, said = process.returncode, stage.said
    problems = []
    if "Traceback (most recent" in said and what == "workers killed":
        problems.append(f"a traceback: {said[-2000:]}")
    if code not in (1, 3):
        problems.append(f"status {code}")
    kinds = Counter(Store(stage.work / "set").read("failures", ["kind"])["kind"].to_pylist())
    undisturbed([*step.command(stage), "--retry-failed", "all"], step.good, stage)
    problems += differences(contents(stage.work), step.wanted)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return {
        **{"step": step.name, "what": what, "status": code, "said": told},
        **{"after_change": "", "problems": problems},
    }


def tell(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum up by step and what was done to it."""
    pairs = sorted({(one["step"], one["what"]) for one in found})
    rows = []
    for step, what in pairs:
        some = [one for one in found if (one["step"], one["what"]) == (step, what)]
        rows.append(
            {
                **{"step": step, "what": what, "times": len(some), "wrong": sum(bool(one["problems"]) for one in some)},
                "said": sorted({one["said"] for one in some}),
                "after": sorted({one["after_change"] for one in some}),
            }
        )
    wrong = [one for one in found if one["problems"]]
    return {"times": len(found), "wrong": len(wrong), "tried": rows, "problems": wrong}


def main() -> None:
    parser = argparse.ArgumentParser(description="Full disks, read-only disks, and no memory.")
    parser.add_argument("--parts", type=int, default=3, help="At how many places of each command the disk fills up.")
    parser.add_argument("--only", action="append", metavar="STEP", help="Only this step; repeat it.")
    parser.add_argument("--only-quota", action="store_true", help="Only quotas.")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("to mount a disk in memory takes root")
    steps = [step for step in STEPS if step.name not in LEFT_OUT and (not options.only or step.name in options.only)]
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    found: list[dict[str, Any]] = []

    def add(one: dict[str, Any]) -> None:
        found.append(one)
        print(json.dumps(one), flush=True)

    try:
        with disk(folder / "disk") as room, staged(folder, room) as stage:
            prepare(stage)
            for step in steps if not options.only_quota else ():
                if step.name == FETCH:
                    continue
                for one in hurts(step, stage, options.parts):
                    add(one)
                if step.name == "run":
                    add(out_of_memory(step, stage, "workers killed"))
                    add(out_of_memory(step, stage, "workers without memory"))
            if not options.only and not options.only_quota:
                stage.put("made")
                add(judge(stage, "full", f"size={used(room)[0]}"))
                stage.put("made")
                add(judge(stage, "can only be read", "ro"))
        if reason := why_no_quota():
            print(f"no quota was tried: {reason}")
        else:
            with quota_disk(folder / "disk") as room, staged(folder, room) as stage:
                for step in steps:
                    for one in over_quota(step, stage, options.parts):
                        add(one)
                if not options.only:
                    stage.put("made")
                    add(judge(stage, "over quota", f"quota={group(room)[1]}"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = tell(found)
    print(json.dumps({name: value for name, value in told.items() if name != "problems"}, indent=1))
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), **told}, indent=1) + "\n")


if __name__ == "__main__":
    main()
