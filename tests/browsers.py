"""A real Chromium for the tests that open pages; they are skipped, with the reason, where there is none."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None  # nor is there a browser then

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_S = 60.0
"""How long a page may take for anything: a busy machine is no reason to fail."""

if expect is not None:
    expect.set_options(timeout=1000 * PATIENCE_S)


@contextmanager
def launched() -> Iterator[Any]:
    """Run a browser without windows that asks nobody for anything by itself."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM} (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        patience = {"timeout": 1000 * PATIENCE_S}
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS, **patience)
        yield browser
        browser.close()


def soon(look: Callable[[], Any], wanted: Any) -> None:
    """Look at a page until it is as wanted: what follows an action may come a moment later."""
    until = time.monotonic() + PATIENCE_S
    while (found := look()) != wanted and time.monotonic() < until:
        time.sleep(0.02)
    assert found == wanted
