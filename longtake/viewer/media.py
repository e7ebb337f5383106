"""Pictures and videos as the page shows them: files of the set as its tables name them, sources, single frames."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from longtake.captions import Look
from longtake.errors import LongtakeError, UsageError
from longtake.looks import take_looks
from longtake.places import Place, Remote, place
from longtake.planning import hash_of
from longtake.video import video_id
from longtake.viewer.asking import MissingError, get, reply
from longtake.viewer.details import number_in, video_row
from longtake.viewer.far import Far
from longtake.viewer.playing import Playable, kind_of, plays
from longtake.viewer.shelf import Shelf

CLIP = ("id", "video_id", "start_s", "end_s", "file")
MP4 = "video/mp4"
WIDEST_PX = 4096
ANEW = {"Cache-Control": "private, no-cache"}
"""A file of this name may be written again."""
KEPT = {"Cache-Control": "private, max-age=3600"}


def routes(shelf: Shelf) -> list[Route]:
    """Return what answers with pictures and videos."""
    playable = Playable(shelf.folder)

    def clip(request: Request) -> Response:
        row = _clip(shelf, request)
        if row["file"] is None:
            raise MissingError(f"no file was written of clip {row['id']!r}; /media/play/clip/ shows it all the same")
        return _file(_inside(shelf.folder, "clips", row["file"]), MP4)

    def source(request: Request) -> Response:
        row = video_row(shelf.store, request.path_params["video_id"])
        return _file(_source(row), kind_of(row))

    def play_clip(request: Request) -> Response:
        row = _clip(shelf, request)
        if row["file"] is not None and (file := _inside(shelf.folder, "clips", row["file"])).is_file():
            return _file(file, MP4)
        video = video_row(shelf.store, row["video_id"])
        path, whole = _source(video), row["start_s"] <= 0 and row["end_s"] >= video["duration_s"]
        if whole and video["first_timestamp_s"] == 0 and plays(video):
            return _file(path, kind_of(video))
        return _Made(playable, playable.get(video, row["start_s"], row["end_s"]))

    def play_video(request: Request) -> Response:
        row, query = video_row(shelf.store, request.path_params["video_id"]), request.query_params
        path = _source(row)
        if not query.keys() & {"start_s", "end_s"} and plays(row):
            return _file(path, kind_of(row))
        start_s = max(0.0, number_in(query, "start_s", 0.0))
        end_s = min(row["duration_s"], number_in(query, "end_s", row["duration_s"]))
        if start_s >= end_s:
            raise UsageError(f"start_s, end_s: a span of the video, which is {row['duration_s']:.3f} s long")
        return _Made(playable, playable.get(row, start_s, end_s))

    return [
        get("/media/clip/{clip_id}", clip),
        get("/media/video/{video_id}", source),
        get("/media/play/clip/{clip_id}", play_clip),
        get("/media/play/video/{video_id}", play_video),
        get("/media/frame/{clip_id}", lambda request: _frame(shelf, request)),
        get("/previews/{file}", lambda request: _sheet(shelf, request.path_params["file"])),
    ]


class _Made(Response):
    """A file that may still be in the making; who waits for it holds up nobody else."""

    def __init__(self, playable: Playable, made: "Future[Path]") -> None:
        self._playable, self._made = playable, made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        made = asyncio.wrap_future(self._made)
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((made, gone), return_when=asyncio.FIRST_COMPLETED)
            if not made.done():
                return
            answer: Response = _file(made.result(), MP4)
        except LongtakeError as error:
            answer = reply({"error": str(error)}, 400)
        except asyncio.CancelledError:
            answer = reply({"error": "the viewer has ended"}, 503)
        finally:
            self._playable.leave(self._made)
            made.cancel()
            gone.cancel()
        await answer(scope, receive, send)


async def _gone(receive: Receive) -> None:
    """Return once who asked went away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _clip(shelf: Shelf, request: Request) -> dict[str, Any]:
    clips, clip_id = shelf.clips(), request.path_params["clip_id"]
    found = clips.take(clips.with_ids([clip_id]), CLIP)
    if not found:
        raise MissingError(f"the set has no clip {clip_id!r}")
    return found[0]


def _inside(folder: Place, part: str, name: str) -> Place:
    """Return a file in a part of a set folder, wherever links lead. Raises `MissingError` for what lies elsewhere."""
    if isinstance(folder, Remote):
        parts = name.split("/")
        if parts[0] != part or not {"", ".", ".."}.isdisjoint(parts) or "\0" in name:
            raise MissingError(f"{name!r} lies outside the set's folder {part!r}; it is not shown")
        return folder / name
    try:
        path = (folder / name).resolve()
    except (ValueError, RuntimeError) as error:  # a null byte, or links in a circle
        raise MissingError(f"{name!r} is no file's name") from error
    if not path.is_relative_to(folder.resolve() / part):
        raise MissingError(f"{name!r} lies outside the set's folder {part!r}; it is not shown")
    return path


def _file(path: Place, kind: str, headers: Mapping[str, str] = ANEW) -> Response:
    """Return a file, whole or the part that is asked for. Raises `MissingError`."""
    if isinstance(path, Remote):
        return Far(path, kind, headers)
    try:
        if path.is_file():
            return FileResponse(path, media_type=kind, headers=headers, stat_result=path.stat())
    except OSError as error:
        raise MissingError(f"{path} can't be read: {error.strerror or error}") from error
    raise MissingError(f"{path} is not there any more")


def _source(video: Mapping[str, Any]) -> Place:
    """Return a video's file. Raises `MissingError` where it has gone, or another one is in its place.

    A table can name any file; only one with the content that the video's id tells is given to anybody.
    """
    path = place(video["path"])
    try:
        path = path.known() if isinstance(path, Remote) else path
        status = path.stat()
        same = path.is_file() and _hash(path, status.st_size, status.st_mtime_ns) == hash_of(video["id"])
    except (OSError, ValueError) as error:
        raise MissingError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from error
    if not same:
        raise MissingError(f"{path} is not the video that was scanned: the file was changed")
    return path


@lru_cache(1024)
def _hash(path: Place, size: int, modified_ns: int) -> str:
    """Return the part of a video's id that names its content, for a file of this size and time."""
    return hash_of(video_id(path))


def _frame(shelf: Shelf, request: Request) -> Response:
    """Return the frame that a clip shows at a time, as a model is shown it; in the clip's file where it has one."""
    row, query = _clip(shelf, request), request.query_params
    time_s, width = number_in(query, "t", 0.0), number_in(query, "width", WIDEST_PX)
    if not 0 <= time_s < row["end_s"] - row["start_s"]:
        raise UsageError(f"t={time_s:g}: the clip is {row['end_s'] - row['start_s']:.3f} s long")
    if not 1 <= width <= WIDEST_PX:
        raise UsageError(f"width={width:g}: 1 to {WIDEST_PX}")
    video = video_row(shelf.store, row["video_id"])
    where = {"start_s": row["start_s"], "first_timestamp_s": video["first_timestamp_s"], "seekable": video["seekable"]}
    file = _inside(shelf.folder, "clips", row["file"]) if row["file"] is not None else None
    if file is not None and file.is_file():
        path, where = file, {"start_s": 0.0, "first_timestamp_s": 0.0, "seekable": True}
    else:
        path = _source(video)
    tall = max(1.0, video["height"] / video["width"])
    jpeg = take_looks(path, [Look((time_s,), cell_px=round(width * tall))], **where)[0][0]
    return Response(jpeg, media_type="image/jpeg", headers=KEPT)


def _sheet(shelf: Shelf, name: str) -> Response:
    if Path(name).name != name or not name.endswith(".jpg"):
        raise MissingError(f"there is no sheet of pictures {name!r}")
    return _file(_inside(shelf.folder, "previews", f"previews/{name}"), "image/jpeg", KEPT)
