"""What this machine can do for longtake: codecs, cores, memory, disk, GPU, and what is missing."""

import importlib.metadata
import os
import platform
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from longtake import __version__
from longtake.engines import default_workers
from longtake.errors import UsageError
from longtake.fetching.sites import sites_finding
from longtake.places import here
from longtake.steps import KINDS, find, missing, names
from longtake.video.codecs import DECODERS, ENCODERS, missing_codecs

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    """What there is, and what to do where it is not well."""


def doctor(folder: str | Path = ".") -> list[Finding]:
    """Look at this machine, and at the disk that `folder` is on. Raises `UsageError` where that isn't there."""
    place = here(folder, "what is looked at").expanduser()
    if not place.is_dir():
        raise UsageError(f"{place}: no such folder; name one on the disk that a set is to be on")
    names = ("av", "numpy", "opencv-python-headless", "pylance", "pyarrow")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    cores = default_workers()
    return [
        Finding("longtake", True, f"{__version__}, Python {platform.python_version()}, {platform.machine()}"),
        Finding("libraries", True, versions),
        Finding("cores", True, f"{cores}: so many videos are scanned at once"),
        _memory(memory, cores),
        _disk(place),
        _codecs(),
        _steps(),
        Finding("sites", True, sites_finding()),
        _gpu(),
    ]


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / GIB
    return Finding("disk", free > 1, f"{free:.1f} GiB free at {folder.resolve()}" + ("" if free > 1 else "; make room"))


def _memory(memory: float, cores: int) -> Finding:
    per_worker = memory / cores
    words = f"{memory:.1f} GiB, {per_worker:.1f} for each worker"
    return Finding("memory", per_worker >= 1, words + ("" if per_worker >= 1 else "; use fewer workers for 4K video"))


def _codecs() -> Finding:
    lacking = missing_codecs()
    if lacking:
        missing = ", ".join(lacking)
        return Finding("codecs", False, f"missing: {missing}; try: pip install --force-reinstall av")
    return Finding("codecs", True, f"reads {', '.join(DECODERS)} and more, writes {', '.join(ENCODERS)}")


def _steps() -> Finding:
    """Say which steps lack a package: all is well with none of them, for only who names one needs it."""
    known = [find(kind, name) for kind in KINDS for name in names(kind)]
    lacking = [f"{step.name} (pip install {shlex.join(packages)})" for step in known if (packages := missing(step))]
    return Finding("steps", True, "all can run" + (f" but {', '.join(lacking)}" if lacking else ""))


def _gpu() -> Finding:
    devices = sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
    found = ", ".join(devices) if devices else "none; not needed: scan, shots, motion and files run on the processor"
    return Finding("GPU", True, found)
