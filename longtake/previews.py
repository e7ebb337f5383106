"""Small pictures of a video, taken during its scan and packed into sheets, for the report and the viewer."""

from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.places import Place, Remote
from longtake.records import Series
from longtake.video import Frames, Tap

VERSION = 1
COLUMNS = MAX_ROWS = 10
JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class PreviewSheets:
    """Where the pictures of one video lie: tile k, row by row over the sheets, is the picture at `k * every_s`."""

    files: tuple[str, ...]
    """Relative to the set folder; all of one size."""
    tile_width: int
    tile_height: int
    columns: int
    rows: int
    every_s: float
    count: int

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {**asdict(self), "files": list(self.files)}


class Previews:
    """Collects one picture every `every_s` seconds; takes part in a scan like a signal, and gives no numbers."""

    columns: tuple[str, ...] = ()

    def __init__(self, *, every_s: float = 2.0, long_side_px: int = 256) -> None:
        self.every_s = every_s
        self.tap = Tap(long_side_px, "rgb24", 1 / every_s)
        self.tiles: list[NDArray[np.uint8]] = []
        self.sheets: list[bytes] = []
        self.count = 0
        self.rows = MAX_ROWS

    def __call__(self, frames: Frames) -> Series:
        """Keep the pictures of a block; a time without a frame (a gap) repeats the picture before it."""
        for time, pixels in zip(frames.times, frames.pixels, strict=True):
            due = int((time + 1e-3) / self.every_s)
            tile = pixels.copy()
            while self.count < due and self.count:
                self._add(self.latest)
            self._add(tile)
        if frames.last and self.tiles:
            if not self.sheets:
                self.rows = -(-len(self.tiles) // COLUMNS)
            self._pack()
        return Series((), np.empty(0), np.empty(0, np.int32), np.empty((0, 0), np.float32))

    def _add(self, tile: NDArray[np.uint8]) -> None:
        self.latest = tile
        self.tiles.append(tile)
        self.count += 1
        if len(self.tiles) == COLUMNS * MAX_ROWS:
            self._pack()

    def _pack(self) -> None:
        """Paste the tiles at hand into one JPEG; hour-long videos never hold more than one sheet of raw pictures."""
        height, width = self.tiles[0].shape[:2]
        sheet = np.zeros((self.rows * height, COLUMNS * width, 3), np.uint8)
        for k, tile in enumerate(self.tiles):
            top, left = k // COLUMNS * height, k % COLUMNS * width
            sheet[top : top + height, left : left + width] = tile
        bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
        self.sheets.append(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())
        self.tiles = []

    def write(self, folder: Place, name: str) -> PreviewSheets | None:
        """Write the sheets as `folder/name-0.jpg` and so on; None where the video gave no picture."""
        if not self.sheets:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for k, jpeg in enumerate(self.sheets):
            path = folder / f"{name}-{k}.jpg"
            if isinstance(path, Remote):
                path.write_bytes(jpeg)
            else:
                temporary = path.with_suffix(".tmp")
                temporary.write_bytes(jpeg)
                temporary.replace(path)
            files.append(f"{folder.name}/{path.name}")
        height, width = self.latest.shape[:2]
        return PreviewSheets(tuple(files), width, height, COLUMNS, self.rows, self.every_s, self.count)
