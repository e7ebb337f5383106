"""Opening video files and objects, and picking their streams; what is wrong with a file is said with its kind."""

import io
import stat

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from longtake.errors import FailureKind, VideoError
from longtake.places import ChangedError, Place, Remote, UnreachableError, text_of

MAX_PIXELS = 8192 * 8192
"""Larger pictures are refused: one decoded 4:2:0 frame takes 1.5 bytes a pixel, and a decoder holds some twenty."""
PICTURE_FORMATS = frozenset({"image2", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe", "svg_pipe"})
TEXT_FORMATS = frozenset({"tty", "srt", "webvtt", "ass", "lrc", "ffmetadata"})
OTHER_FILES = frozenset({"concat", "hls", "dash", "imf", "sdp", "rtsp", "rtp"})
"""Formats whose files tell the decoders to open other files or addresses: they are no videos."""
OPENING = {
    "format_whitelist": ",".join(sorted(av.formats_available - OTHER_FILES)),
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_PIXELS),
}
"""What a file may be while it is looked into."""
READ_BYTES = 1 << 17
"""What the decoders ask for at once where we read for them."""

av.logging.set_level(av.logging.PANIC)  # damage is counted and told in our own words


class Opened:
    """An object on a store, as decoders read a file; after an error it has ended, and PyAV raises the error."""

    def __init__(self, path: Remote) -> None:
        self.path, self.file, self.failed = path, path.open(), False
        self.name = path.name  # by its ending decoders guess where content says little

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer at the end. Raises `VideoError`."""
        if self.failed:
            return b""
        try:
            return self.file.read(size) or b""
        except OSError as error:
            self.failed = True
            raise unreadable(self.path, error) from error

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self.file.tell()


def open_video(path: Place, opened: Opened | None = None) -> tuple[InputContainer, VideoStream]:
    """Open a file and pick its video stream. Raises `VideoError` with a kind for whatever is wrong with it."""
    path = found(path)
    source = (opened or Opened(path)) if isinstance(path, Remote) else str(path.absolute())
    try:
        container = av.open(source, "r", metadata_errors="replace", buffer_size=READ_BYTES, options=OPENING)
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(*unopenable(path, error)) from error
    try:
        stream = pick_stream(path, container)
    except VideoError:
        container.close()
        raise
    return container, stream


def found(path: Place) -> Place:
    """Return a file as it is now; raise what can be said without a decoder: missing, a folder, unreadable, empty."""
    try:
        if isinstance(path, Remote):
            path = path.known()
            if path.stat().st_size == 0:
                raise VideoError("empty", f"{path}: the object is empty; put it there again")
            return path
        if text_of(path) != str(path):
            raise VideoError("unreadable", f"{text_of(path)}: its name is no text in UTF-8; rename it or its folder")
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            next(path.iterdir(), None)  # says why it can't be searched
            raise VideoError("unreadable", f"{path}: is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise VideoError("unreadable", f"{path}: is no file but a device, a pipe or a socket, which may never end")
        if status.st_size == 0:
            raise VideoError("empty", f"{path}: the file is empty; copy or download it again")
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError as error:
        if isinstance(path, Remote):
            raise unreadable(path, error) from error
        said = "a link to a file that is not there" if path.is_symlink() else "no such file"
        raise VideoError("missing", f"{path}: {said}") from error
    except OSError as error:
        raise unreadable(path, error) from error
    return path


def unreadable(path: Place, error: OSError) -> VideoError:
    """Say why a file or an object can't be read."""
    kinds: dict[type[OSError], FailureKind] = {
        FileNotFoundError: "missing",
        UnreachableError: "unreachable",
        ChangedError: "changed",
    }
    kind: FailureKind = next((kind for one, kind in kinds.items() if isinstance(error, one)), "unreadable")
    return VideoError(kind, str(error) if isinstance(path, Remote) else f"{path}: {error.strerror or error}")


def unopenable(path: Place, error: Exception) -> tuple[FailureKind, str]:
    """Tell a damaged video from something that never was one, by its first bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as unread:
        raise unreadable(path, unread) from unread
    boxes = (b"ftyp", b"moov", b"mdat", b"\x1aE\xdf\xa3", b"RIFF", b"FLV", b"OggS", b"\x00\x00\x01\xba", b"0&\xb2u")
    if any(mark in head[:64] for mark in boxes):
        return "damaged", f"{path}: a video whose header or index is lost ({error_text(error)}); get the file again"
    return "not_a_video", f"{path}: no video format that the bundled decoders know ({error_text(error)})"


def error_text(error: Exception) -> str:
    """Return a decoder's error without its number and path."""
    return str(getattr(error, "strerror", None) or error)


def pick_stream(path: Place, container: InputContainer) -> VideoStream:
    """Return the default video stream that is no cover picture. Raises `VideoError`."""
    names = set(container.format.name.split(","))
    if names & TEXT_FORMATS:
        raise VideoError("not_a_video", f"{path}: text, read as {container.format.name}")
    if names & PICTURE_FORMATS or any(name.endswith("_pipe") for name in names):
        raise VideoError("not_a_video", f"{path}: a still picture ({container.format.name})")
    pictures = av.stream.Disposition.attached_pic
    streams = [s for s in container.streams.video if not s.disposition & pictures]
    if not streams:
        what = "only a cover picture" if container.streams.video else "no video stream"
        raise VideoError("no_video_stream", f"{path}: {what}")
    # Of several, the first that the file itself marks as default: what players show.
    default = av.stream.Disposition.default
    stream = next((s for s in streams if s.disposition & default), streams[0])
    context = stream.codec_context
    if context is None:
        raise VideoError("unsupported_codec", f"{path}: the bundled decoders don't know its codec")
    if context.width * context.height > MAX_PIXELS:
        raise VideoError(
            "too_large", f"{path}: {context.width}x{context.height} is over the limit of {MAX_PIXELS} pixels"
        )
    return stream


def pick_sound(container: InputContainer) -> AudioStream | None:
    """Return the sound that players play, None where there is none or the bundled decoders don't know its codec."""
    sound = container.streams.best("audio")
    return sound if isinstance(sound, AudioStream) and sound.codec_context is not None else None
