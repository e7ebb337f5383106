"""Overlaid text as `text` finds it, decided by OCR where that is in doubt; the only file that knows rapidocr."""

import functools
import importlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.signals._lettering import CELL
from longtake.signals.text import Bytes, Floats, Text, settle, shares

VERSION = 1
NEEDS = {"rapidocr": "rapidocr>=3.10", "onnxruntime": "onnxruntime"}
READ = 0.7
"""How surely a line is read, to be one: the detector alone, and lines read less surely, find text on any picture."""


class TextOcr(Text):
    """How much of a picture is overlaid text, and where; decided by OCR where in doubt; and a logo; once per second.

    area: share of the picture, 0 to 1, under lines of lettering: subtitles, credits, titles, names, watermarks.
    top: share of the whole picture under lettering in its upper third; so `top`, `middle` and `bottom` make `area`.
    middle: the same in the middle third.
    bottom: the same in the lower third.
    doubt: 0, for nothing is left in doubt.
    logo: share of the picture, 0 to 1, taken by what stands still while most of the rest changes; see `text`.
    logo_x: where the largest logo's middle is, 0 (left edge) to 1 (right edge); NaN without a logo.
    logo_y: the same from 0 (top) to 1 (bottom).

    In place of `text`, for the same scores: `step = "text_ocr"` under `[signals.text]`. On the frames that `text`
    leaves in doubt, the groups of squares that may be lettering count where PP-OCR, as rapidocr carries it, finds lines
    that it can read, and only there. It knows Latin letters, digits, Chinese and Japanese, and may miss others. It
    runs on one processor core, some 0.35 s for a frame; nothing is downloaded, and what it reads isn't kept.
    """

    def text(self, picture: Bytes) -> list[float]:
        """Return the columns about text."""
        holds, share = self.network(picture)
        text, doubt = settle(holds)
        found = share * text
        if doubt.any():
            found = np.maximum(found, np.where(doubt, load_reader()(picture), 0))
        return [*shares(found, picture.shape), 0.0]


class Reader:
    """Where PP-OCR reads lines of text."""

    def __init__(self) -> None:
        package: Any = importlib.import_module("rapidocr")
        threads = {f"EngineConfig.onnxruntime.{which}_op_num_threads": 1 for which in ("intra", "inter")}
        self.read = package.RapidOCR(params={"Global.log_level": "critical", **threads})

    def __call__(self, picture: Bytes) -> Floats:
        """Return the share of each cell that lines of text take."""
        found = self.read(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), use_cls=False, text_score=READ)
        rows, columns = (-(-side // CELL) for side in picture.shape)
        lines = np.zeros((rows * CELL, columns * CELL), np.uint8)
        boxes: NDArray[np.float32] | None = found.boxes
        if boxes is not None:
            cv2.fillPoly(lines, list(np.rint(boxes).astype(np.int32)), 255)
        return np.asarray(cv2.resize(lines, (columns, rows), interpolation=cv2.INTER_AREA) / np.float32(255))


@functools.cache
def load_reader() -> Reader:
    """Return the reader, loaded once in a process."""
    return Reader()
