"""The only folder that knows decoders: probe a file, scan it in one decode, write a span of it as a file."""

from longtake.video.clipfile import ClipFile, write_clip
from longtake.video.decode import declared_duration_s
from longtake.video.describe import video_id
from longtake.video.encode import Quality
from longtake.video.probe import probe
from longtake.video.scan import Frames, Scan, Signal, Tap, scan

__all__ = [
    "ClipFile",
    "Frames",
    "Quality",
    "Scan",
    "Signal",
    "Tap",
    "declared_duration_s",
    "probe",
    "scan",
    "video_id",
    "write_clip",
]
