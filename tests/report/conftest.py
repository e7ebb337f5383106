"""A browser, and made-up reports opened in it from disk."""

import re
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from browsers import PATIENCE_S, launched
from pages import COLUMNS, ROWS, TILE, made_up

from longtake.report.page import render


@pytest.fixture(scope="module")
def chromium():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def made_set(tmp_path_factory) -> Path:
    """Return a folder with previews whose tiles carry their number in words and brightness, and one playable clip."""
    folder = tmp_path_factory.mktemp("set #1 %41")
    data = made_up()
    preview = data["videos"][0]["preview"]
    for number, name in enumerate(preview["files"]):
        sheet = np.zeros((ROWS * TILE[1], COLUMNS * TILE[0], 3), np.uint8)
        for place in range(COLUMNS * ROWS):
            k = number * COLUMNS * ROWS + place
            row, column = divmod(place, COLUMNS)
            tile = np.full((TILE[1], TILE[0], 3), 40 + 6 * k, np.uint8)
            cv2.putText(tile, str(k), (30, 38), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
            sheet[row * TILE[1] : (row + 1) * TILE[1], column * TILE[0] : (column + 1) * TILE[0]] = tile
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(cv2.imencode(".jpg", sheet)[1].tobytes())
    file = folder / data["clips"][0]["file"]
    file.parent.mkdir(parents=True)
    with av.open(str(file), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for i in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((90, 160, 3), 5 * i, np.uint8))
            frame.pts, frame.time_base = i, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return folder


@pytest.fixture
def opened(chromium, made_set, request):
    """Open data as a report from disk; at the end, fail if the page complained or asked for the network."""
    complaints = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(1000 * PATIENCE_S)

    def open_page(data: dict | None = None, allowed: str = "^$"):
        file = made_set / f"{request.node.name[:40].replace('[', '-')}.html"
        file.write_text(render(data or made_up()), encoding="utf-8")
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda asked: asked.url.startswith("file:") or complaints.append(asked.url))
        page.goto(file.as_uri())
        page.allowed = allowed
        return page

    yield open_page
    allowed = "|".join(page.allowed for page in context.pages)
    context.close()
    assert [text for text in complaints if not re.search(allowed, text)] == []
