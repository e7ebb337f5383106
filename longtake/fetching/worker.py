"""One worker: a video after the other, from its address to its place in the folder. One bad video never ends it."""

import errno
import random
import sqlite3
import traceback
from pathlib import Path

from longtake.errors import SetError, UsageError
from longtake.fetching.bringing import PARTS, Shared, bring, drop
from longtake.fetching.http import Plain
from longtake.fetching.ledger import Wanted
from longtake.fetching.meter import Meter
from longtake.fetching.states import FetchError, StoppedError

TRIES = 4
"""How often a video is asked for in one call where the network or a busy host is to blame."""
BACKOFF_S = 1.0
"""Wait before a video's second try, doubled for each one after it."""
GOT_ON_BYTES = 1 << 20
"""A try that brought this much more of a file isn't counted: large files come through bad lines in many pieces."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


def work(shared: Shared) -> None:
    """Fetch videos till there are none left to ask for, or it is time to stop."""
    manner = shared.manner
    try:
        plain = Plain(proxy=manner.proxy, cookies=manner.cookies, allow_private=manner.allow_private)
        try:
            while wanted := shared.turns.take():
                _one(wanted, plain, shared)
        finally:
            plain.close()
    except UsageError as error:
        shared.end(error)
    except sqlite3.Error as error:
        shared.end(SetError(f"{shared.folder}: the ledger can't be written ({error}); nothing that came is lost"))


def _one(wanted: Wanted, plain: Plain, shared: Shared) -> None:
    """Fetch a video, and note what became of it."""
    parts = shared.folder / PARTS / wanted.video
    try:
        with Meter(shared.flow) as meter:
            try:
                bring(wanted, parts, meter, plain, shared)
            finally:
                here, wanted.here = wanted.here, max(wanted.here, meter.here)
                if wanted.here - here > GOT_ON_BYTES:
                    wanted.tries = 0
    except StoppedError as error:
        shared.flow.close(str(error))
        shared.turns.give_back()
    except UsageError:
        raise
    except FetchError as error:
        _failed(wanted, error, parts, shared)
    except OSError as error:
        full = error.errno in _FULL
        why = "the disk is full" if full else f"{shared.folder} can't be used: {error.strerror or error}"
        shared.flow.stop(f"{why}; the same command goes on when that is mended")
        shared.turns.give_back()
    except Exception as error:  # a fault of ours, or of a library: told with its place, and no reason to leave others
        at = traceback.extract_tb(error.__traceback__)[-1]
        words = f"{type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno})"
        _failed(wanted, FetchError("other", words), parts, shared)
    else:
        shared.turns.settle(wanted, None)


def _failed(wanted: Wanted, error: FetchError, parts: Path, shared: Shared) -> None:
    """Note why a video didn't come, or have it tried again where that may help."""
    if shared.flow.ended.is_set():  # whoever hung when all others ended: the next call asks again
        shared.turns.give_back()
        return
    wanted.tries += 1
    if error.state in ("network", "throttled") and wanted.tries < TRIES:
        # A host that is busy says itself, for all of its videos, when to come again.
        wait_s = BACKOFF_S * 2.0 ** (wanted.tries - 1) if error.state == "network" else 0.0
        shared.ledger.note(wanted, "wanted", error.message)
        shared.turns.settle(wanted, error, again_s=wait_s * random.uniform(0.75, 1.25))  # noqa: S311  # no secret
        return
    shared.ledger.note(wanted, error.state, error.message)
    shared.tally.move(error.state)
    if error.state not in ("network", "throttled"):
        drop(parts)
    shared.turns.settle(wanted, error)
