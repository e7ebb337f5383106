"""The clips of a set for PyTorch: one random window of each, decoded when it is asked for.

The only file of this package that knows torch; `Set.torch` imports it.
"""

import importlib
from typing import Any

import numpy as np
import pyarrow as pa

from longtake.errors import UsageError
from longtake.opening import check_size, origin, read_window, rows_of, window
from longtake.store import Store

torch: Any = importlib.import_module("torch")  # types are checked where there is none, too


class Windows(torch.utils.data.Dataset):  # type: ignore[misc]  # torch has no types where it isn't installed
    """Item i is a window of clip i, another one in each epoch: the same for the same seed, epoch and i.

    A `DataLoader` with workers wants `multiprocessing_context="forkserver"`: the library of the tables warns of forks.

    `video`: uint8, shape (frames, 3, height, width), the frames displayed at `start_s` + k / fps seconds of the clip.
    `caption`: its caption, empty where it has none. `id`: of the clip. `start_s`: where the window begins.
    """

    def __init__(
        self,
        store: Store,
        clips: pa.Table,
        frames: int,
        fps: float,
        size: tuple[int, int],
        caption: str,
        seed: int,
    ) -> None:
        self.frames, self.fps, self.size, self.seed = frames, fps, size, seed
        check_size(size)
        self.needs_s = float(window(0.0, frames, fps)[-1])
        # Arrow, and not a dict a clip: it is a tenth of the memory, and all workers of a fork share it.
        parts, kinds = [], set()
        self.too_short = 0
        """Clips left out because a window is longer."""
        for row in rows_of(store, clips):
            if row.clip["duration_s"] <= self.needs_s:
                self.too_short += 1
                continue
            kinds |= {c["kind"] for c in row.captions}
            parts.append({"id": row.id, "caption": row.text(caption), **origin(row)})
        if not parts:
            raise UsageError(
                f"{store.folder} has no clip for windows of {frames} frames at {fps:g} a second: "
                f"{clips.num_rows} clips asked for, {self.too_short} of them too short"
            )
        if caption and not any(part["caption"] for part in parts):
            there = f"there is {', '.join(sorted(kinds))}" if kinds else "there are no captions"
            raise UsageError(f"{store.folder} has no caption of kind {caption!r}; {there}")
        self.clips = pa.Table.from_pylist(parts)
        # In shared memory: workers that live on from one epoch to the next see it change.
        self.epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Choose other windows; to be called before each epoch, as with a distributed sampler."""
        self.epoch[0] = epoch

    def __len__(self) -> int:
        return int(self.clips.num_rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)}")
        index %= len(self)
        clip = self.clips.slice(index, 1).to_pylist()[0]
        random = np.random.default_rng([self.seed, int(self.epoch[0]), index])
        start_s = random.uniform(0.0, clip["duration_s"] - self.needs_s)
        pictures = read_window(clip, window(start_s, self.frames, self.fps), self.size)
        video = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        return {"video": video, "caption": clip["caption"], "id": clip["id"], "start_s": start_s}
