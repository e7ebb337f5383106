"""Files on their way to an object store: made here, in room that is left empty whatever happens, then put whole."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from longtake.errors import VideoError
from longtake.places import Place, Remote

NAME = "longtake-scratch-"
HELD = ".held"
BEAT_S = 1.0


@contextmanager
def landing(target: Place, beat: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Give the file here that is to be written for `target`, which may be on an object store.

    What was written is put there at the end, with what lies beside it, `target` itself last; nothing is after an error.
    `beat` is called now and then meanwhile. Raises `VideoError("unreachable")`.
    """
    if isinstance(target, Path):
        yield target
        return
    with scratch() as folder:
        yield folder / target.name
        made = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
        with ThreadPoolExecutor(1) as other, sending(target):
            for path in sorted(made, key=lambda path: path.name == target.name):
                put = other.submit(target.with_name(path.name).put, path)
                while not put.done():
                    beat()
                    wait([put], BEAT_S)
                put.result()


@contextmanager
def sending(target: Place) -> Iterator[None]:
    """Turn what goes wrong on the way to an object store into a failure that the next run tries again."""
    try:
        yield
    except OSError as error:
        if isinstance(target, Remote):
            raise VideoError("unreachable", str(error)) from error
        raise


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder of one's own on this machine's temporary disk, and remove it with all that is in it.

    What processes left that were killed is removed with it.
    """
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=NAME))
    try:
        # Held before it has its name: nobody takes a folder for a dead one's that is being made.
        with (folder / ".holding").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            (folder / ".holding").rename(folder / HELD)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of processes that are gone: with them went their hold."""
    for held in Path(tempfile.gettempdir()).glob(f"{NAME}*/{HELD}"):
        try:
            with held.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(held.parent, ignore_errors=True)
        except OSError:
            continue  # at work, another user's, or just gone
