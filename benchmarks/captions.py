"""Captioning whole sets: answers per second with a server that answers at once, memory as clips go by, kills.

    python benchmarks/captions.py [--clips 5000] [--kills 5] [--height 180] [--json results/captions.json]

The set has one video and as many kept clips of 12 s in it as asked for, at ever other places, so each is decoded on
its own; a small one by default, for this is about asking. With `--height 720` taking the pictures is what counts.
The captioner is `lvd2m` with two levels (two answers a clip, one of them to a grid of six frames). The server is a
process of its own that answers at once, and counts what it is asked. Memory is that of the asking process, without
its workers. With `--kills` the command is killed so often on the way, at random moments.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from _machine import measured_on
from memory import make_video

from longtake import run
from longtake.store import Store

CLIP_S = 12.0
VIDEO_S = 60
SENTENCES = (
    "A wide textured surface with soft patches of many colours fills the view of the camera.",
    "The pattern slides past at an even speed while the distance stays the same.",
    "Brighter spots follow darker ones, and each of them leaves on the opposite side.",
    "Nobody is to be seen, and no animal or vehicle crosses the scene at any time.",
    "The light is even, as on a cloudy day, and casts no hard shadows.",
)
SERVER = """
import asyncio, json, sys, time
sentences = json.loads(sys.argv[1])
asked = open(sys.argv[2], "a")
number = 0

def answer(refine):
    global number
    number += 1
    text = f"Clip {number} begins. " + " ".join(sentences)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": refine + text}}
    body = json.dumps({"model": "none", "choices": [choice], "usage": {"prompt_tokens": 900, "completion_tokens": 99}})
    head = f"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: {len(body)}\\r\\n\\r\\n"
    return (head + body).encode()

async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode().lower()
            left = int(head.partition("content-length:")[2].partition("\\r\\n")[0])
            name = head.partition("x-client-request-id:")[2].partition("\\r\\n")[0].strip()
            while left:
                part = await reader.read(left)
                if not part:
                    raise asyncio.IncompleteReadError(part, left)
                left -= len(part)
            print(name, file=asked, flush=True)
            writer.write(answer("CAPTION: " if ".refined." in name else ""))
    except (asyncio.IncompleteReadError, ConnectionResetError):
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(input)
    server.close()
    print(time.process_time(), flush=True)

asyncio.run(main())
"""
COMMAND = """
import json, resource, sys, time
from longtake.caption_set import caption_set
seen = []
def watch(news):
    done = getattr(news, "done", 0)
    if done and (not seen or time.monotonic() - seen[-1][0] > 1):
        with open("/proc/self/statm") as pages:
            seen.append((time.monotonic(), done, int(pages.read().split()[1]) * resource.getpagesize() >> 20))
begun = time.perf_counter()
asked = caption_set(sys.argv[1], settings=sys.argv[2:], watch=watch).asked
cpu = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({
    "answers": asked.spent.answers, "captions": asked.captions, "quarantined": asked.quarantined,
    "elapsed_s": asked.elapsed_s, "whole_s": time.perf_counter() - begun,
    "cpu_s": [round(use.ru_utime + use.ru_stime, 1) for use in cpu],
    "memory_mib": [row[1:] for row in seen[:: max(1, len(seen) // 20)]]}))
"""
RECIPE = """
name = "captions"
[shots]
step = "content"
[select]
keep = ["duration_s >= 5"]
[captions.lvd2m]
rewrite = false
"""


def make_set(folder: Path, clips: int, height: int) -> Path:
    """Make a set whose one video has so many clips."""
    (folder / "videos").mkdir()
    make_video(folder / "videos" / "long.mp4", "libx264", height * 16 // 9, height, VIDEO_S)
    (folder / "captions.toml").write_text(RECIPE)
    run(str(folder / "captions.toml"), [folder / "videos"], folder / "set")
    store = Store(folder / "set")
    (row,) = store.read("clips").to_pylist()[:1]
    schema = store.columns("clips")
    starts = np.linspace(0, VIDEO_S - CLIP_S, clips)
    rows = [
        {
            **row,
            "id": f"{row['video_id']}_{number:08d}_{round(start * 1000):08d}",
            "start_s": start,
            "end_s": start + CLIP_S,
            "duration_s": CLIP_S,
            "kept": True,
            "rejected_by": None,
        }
        for number, start in enumerate(starts.tolist())
    ]
    store.delete("clips", "video_id", [row["video_id"]])
    store.append("clips", rows, schema)
    return folder / "set"


def caption(folder: Path, settings: list[str], kills: int, asked: Path, calls: int) -> dict[str, object]:
    """Run the command, killed so often at random moments on the way; return what the last run says of itself."""
    command = [sys.executable, "-c", COMMAND, str(folder), *settings]
    chance = random.Random(7)
    moments = sorted(chance.uniform(0.02, 0.95) for _ in range(kills))
    for moment in moments:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None and _lines(asked) < moment * calls:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, object] = json.loads(said)
    return found


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def judge(folder: Path, asked: Path) -> dict[str, int]:
    """Compare what the server was asked with what the set holds."""
    keys = Counter(line.split("/")[2] for line in asked.read_text().split("\n") if line)
    store = Store(folder)
    stored = store.read("answers", ["key", "clip_id"]).to_pylist()
    captions = store.read("captions", ["clip_id", "kind", "answer"]).to_pylist()
    of = {row["key"]: row["clip_id"] for row in stored}
    return {
        "asked": sum(keys.values()),
        "asked_twice": sum(count - 1 for count in keys.values()),
        "answers_stored": len(stored),
        "answers_stored_twice": len(stored) - len(of),
        "captions_stored": len(captions),
        "captions_of_another_clip": sum(of.get(row["answer"]) != row["clip_id"] for row in captions),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Captioning a set with a server that answers at once.")
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--height", type=int, default=180)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = make_set(Path(name), options.clips, options.height)
        asked = Path(name) / "asked"
        asked.touch()
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, json.dumps(SENTENCES), str(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        settings = {"url": f"'{url}'", "model": "'none'", "concurrency": options.concurrency}
        lines = [f"models.default.{key}={value}" for key, value in settings.items()]
        found = caption(folder, lines, options.kills, asked, options.clips * 2)
        server.communicate("\n")
        counted = judge(folder, asked)
    row = {
        "clips": options.clips,
        "height": options.height,
        "concurrency": options.concurrency,
        "kills": options.kills,
        **found,
        **counted,
    }
    print(json.dumps(row))
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), **row}, indent=1) + "\n")


if __name__ == "__main__":
    main()
