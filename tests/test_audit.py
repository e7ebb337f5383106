"""`make audit`: a package that could not be asked about is never counted as one without faults."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).resolve().parents[1] / ".ci" / "audit.py"
FAULTY = '{"name": "A", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}'
FINE = '{"name": "b", "version": "1", "vulns": []}'
UNKNOWN = '{"name": "c", "skip_reason": "not found"}'


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (f'{{"dependencies": [{FINE}]}}', 0, "1 of 1 pinned packages looked up: 0 of them"),
        (f'{{"dependencies": [{FINE}, {FAULTY}]}}', 1, "a 1: PYSEC-1, mended in 2"),
        (f'{{"dependencies": [{FINE}, {UNKNOWN}]}}', 2, "NOT looked up: 1, such as c (not found)"),
        ("", 2, "0 of"),
    ],
)
def test_what_it_says_of_what_it_was_told(tmp_path: Path, answer: str, status: int, words: str) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\necho '{answer}'\necho no route >&2\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    done = subprocess.run([sys.executable, AUDIT, tool], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert words in done.stdout
    assert ("no route" in done.stdout) == (not answer)
