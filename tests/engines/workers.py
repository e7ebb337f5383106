"""What the tests of engines look at: who began on which item, and which processes are alive."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def begun(log: Path, item: str = "*") -> list[list[str]]:
    """Who began on an item, or on any: process and node."""
    return [path.read_text().split(" ") for path in log.glob(f"{item}.*")]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    for _ in range(round(seconds / 0.05)):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited for {seconds:g} s")
