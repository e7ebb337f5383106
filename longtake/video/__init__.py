"""The only folder that knows decoders: probe a file, scan it in one decode, write a span of it as a file."""

from longtake.video.clipfile import ClipFile, write_clip
from longtake.video.decode import declared_duration_s, declared_pixels
from longtake.video.describe import check_same, video_id
from longtake.video.encode import Border, Quality
from longtake.video.frames import read_frames
from longtake.video.playable import write_playable
from longtake.video.probe import probe
from longtake.video.refit import Refit, refit
from longtake.video.scan import Frames, Scan, Signal, Tap, scan
from longtake.video.small import SmallVideo
from longtake.video.walk import NeedsAllError

__all__ = [
    "Border",
    "ClipFile",
    "Frames",
    "NeedsAllError",
    "Quality",
    "Refit",
    "Scan",
    "Signal",
    "SmallVideo",
    "Tap",
    "check_same",
    "declared_duration_s",
    "declared_pixels",
    "probe",
    "read_frames",
    "refit",
    "scan",
    "video_id",
    "write_clip",
    "write_playable",
]
