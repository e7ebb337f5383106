import subprocess
import sys

import cv2
import numpy as np
import pytest
from wheel import pictures

from longtake.signals.text import Text
from longtake.steps import find, missing
from longtake.video.scan import Frames

pytest.importorskip("rapidocr", reason="no rapidocr: pip install rapidocr onnxruntime")
pytest.importorskip("onnxruntime", reason="no onnxruntime: pip install onnxruntime")


@pytest.fixture(scope="module")
def reader():
    from longtake.signals.text_ocr import load_reader

    return load_reader()


def lettered(words: str) -> np.ndarray:
    picture = cv2.resize(pictures("bigbuckbunny", count=1)[0], (480, 270), interpolation=cv2.INTER_AREA)
    cv2.putText(picture, words, (120, 240), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2, cv2.LINE_AA)
    return picture


def test_lines_are_where_they_were_written(reader) -> None:
    share = reader(lettered("Nobody knew it"))
    rows, columns = np.nonzero(share > 0.5)
    assert share.shape == (34, 60)
    assert set(rows) <= set(range(26, 32))
    assert 13 <= columns.min() <= 16 and 30 <= columns.max() <= 45
    assert reader(lettered("")).max() == 0


def test_what_is_in_doubt_is_decided() -> None:
    """A network that is in doubt everywhere: what counts is what can be read."""
    ocr = find("signals", "text_ocr").call()
    ocr.network = lambda picture: (np.full((34, 60), 0.8, np.float32), np.full((34, 60), 0.8, np.float32))
    shown = np.stack([lettered("Nobody knew it"), lettered("")])
    series = ocr(Frames(np.arange(2.0), np.arange(2, dtype=np.int32), shown, True))
    assert series.columns == Text.columns
    assert 0.01 < series.column("area")[0] < 0.06
    assert series.column("bottom")[0] == series.column("area")[0]
    assert series.column("area")[1] == 0
    assert series.column("doubt").tolist() == [0, 0]


def test_it_says_nothing_and_needs_no_network() -> None:
    """In a process of its own, where no socket can be opened."""
    code = """
import socket
def refuse(*_, **__): raise OSError("no network here")
socket.socket.connect = socket.getaddrinfo = refuse
import numpy as np
from longtake.signals.text_ocr import load_reader
load_reader()(np.full((270, 480), 90, np.uint8))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_nothing_is_missing_where_it_is_installed() -> None:
    assert missing(find("signals", "text_ocr")) == []
