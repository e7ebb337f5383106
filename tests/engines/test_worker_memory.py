"""A bomb takes neither the machine nor its neighbours with it."""

from pathlib import Path

import pytest

from longtake.engines import Item
from longtake.engines.local import LEAST_BYTES, run_items, share_bytes

EAT = """
import time

def eat(payload, progress):
    eaten = []
    for _ in range(payload["mib"] // 10):
        eaten.append(bytearray(b"x" * (10 << 20)))
        time.sleep(0.02)
    return payload["mib"]
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system doesn't tell a process its memory")
def test_an_item_that_takes_too_much_is_a_failure_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hungry_tasks.py").write_text(EAT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("longtake.engines.local.share_bytes", lambda workers: 300 << 20)
    items = [Item(str(mib), {"mib": mib}) for mib in (50, 30_000, 60, 70)]
    outcomes = {o.item.name: o for o in run_items("hungry_tasks:eat", items, workers=2)}
    assert [outcomes[name].result for name in ("50", "60", "70")] == [50, 60, 70]
    kind, message = outcomes["30000"].failure
    assert kind == "too_large" and "more than 0.3 GiB of memory" in message and "times" not in message


def test_workers_share_the_memory_that_there_is() -> None:
    assert share_bytes(1) >= share_bytes(2) >= share_bytes(100_000) == LEAST_BYTES
