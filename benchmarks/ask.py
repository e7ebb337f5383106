"""How fast requests with pictures go to a model's server, and what each costs the client; no model, so no waiting.

    python benchmarks/ask.py [--requests 600] [--concurrency 32] [--json results/ask.json]

The server is a process of its own that reads a request and answers at once. Each request shows another picture: eight
frames in two rows of four, 2048x576 pixels. `cpu_ms` is the client's alone; the server's share is beside it, since both
have to live on this machine.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from _machine import measured_on

from longtake.ask import ModelSettings, Reply, Request, connect

PICTURES = 16
QUALITY = 90
SERVER = """
import asyncio, json, time
choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A red car drives. " * 20}}
body = json.dumps({"model": "none", "choices": [choice], "usage": {"prompt_tokens": 900, "completion_tokens": 99}})
head = f"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: {len(body)}\\r\\n\\r\\n"
answer = (head + body).encode()

async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).lower()
            left = int(head.partition(b"content-length:")[2].partition(b"\\r\\n")[0])
            while left:
                part = await reader.read(left)
                if not part:
                    raise asyncio.IncompleteReadError(part, left)
                left -= len(part)
            writer.write(answer)
    except asyncio.IncompleteReadError:
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(input)
    server.close()
    print(time.process_time(), flush=True)

asyncio.run(main())
"""


def picture(seed: int) -> bytes:
    """Draw eight frames with detail like a photograph's, in a grid, as JPEG."""
    rng = np.random.default_rng(seed)
    whole = np.zeros((576, 2048, 3), np.float32)
    for scale, weight in ((64, 60), (16, 30), (4, 10), (1, 2)):
        coarse = rng.normal(0, weight, (576 // scale, 2048 // scale, 3)).astype(np.float32)
        whole += cv2.resize(coarse, (2048, 576), interpolation=cv2.INTER_CUBIC)
    shown = np.clip(whole + 128, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


async def ask_all(settings: ModelSettings, requests: list[Request]) -> tuple[list[Reply], float, float]:
    """Return the replies, wall and CPU seconds; the first request, which makes the connection, is not counted."""
    model = connect(settings)
    await model.ask(requests[0])
    wall, cpu = time.perf_counter(), time.process_time()
    replies = await asyncio.gather(*map(model.ask, requests))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await model.close()
    return replies, wall, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description="Requests with pictures to a server that answers at once.")
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pictures = [picture(seed) for seed in range(PICTURES)]
    kib = sum(map(len, pictures)) / PICTURES / 1024
    prompt = "Describe what happens in these frames, in order. " * 10
    requests = [
        Request(f"clip-{number}", prompt, images=(pictures[number % PICTURES],)) for number in range(options.requests)
    ]
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stdin is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    settings = ModelSettings(url=url, model="none", concurrency=options.concurrency)
    replies, wall, cpu = asyncio.run(ask_all(settings, requests))
    server_cpu = float(server.communicate("\n")[0])
    n = len(replies)
    row = {
        "requests": n,
        "concurrency": options.concurrency,
        "picture_kib": round(kib),
        "requests_per_s": round(n / wall, 1),
        "cpu_ms": round(cpu / n * 1000, 2),
        "server_cpu_ms": round(server_cpu / n * 1000, 2),
        "sent_again": sum(reply.tries - 1 for reply in replies),
    }
    print(f"{row['requests_per_s']} requests/s with pictures of {row['picture_kib']} KiB, {row['cpu_ms']} ms CPU each")
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), **row}, indent=1) + "\n")


if __name__ == "__main__":
    main()
