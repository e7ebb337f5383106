"""Real footage with exact truth, and files that break readers: no part of this repository, used where it exists."""

import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOOTAGE = Path(os.environ.get("LONGTAKE_FOOTAGE") or Path(__file__).resolve().parents[2] / "shared" / "footage")


@dataclass(frozen=True)
class Corrupt:
    """Files that break readers, and what a good reader does with each."""

    folder: Path
    expected: Mapping[str, Mapping[str, Any]]


def corrupt_expected() -> dict[str, dict[str, Any]]:
    """Read what is expected of the corrupt files without unpacking them; empty where there are none."""
    archive = FOOTAGE / "corrupt.tar.gz"
    if not archive.is_file():
        return {}
    with tarfile.open(archive) as tar:
        member = tar.extractfile(next(m for m in tar if Path(m.name).name == "expected.json"))
        return json.load(member)
