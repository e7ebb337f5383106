"""A set on its way to a format: what goes out, into which split, and never a half export taken for a whole one."""

from collections.abc import Sequence

from longtake.errors import UsageError
from longtake.exporting.clips import Choice, export_clips
from longtake.exporting.folder import Exported
from longtake.exporting.spans import export_spans
from longtake.exporting.splits import parse_split, split_of
from longtake.places import Place, here, set_folder
from longtake.settings import check_set, read_settings
from longtake.steps import check_installed, check_parameters, find
from longtake.store import Store
from longtake.video import Refit
from longtake.watch import Watch

__all__ = ["Exported", "export_set", "parse_split", "split_of"]


def export_set(
    folder: str | Place,
    format: str,  # noqa: A002  # the user's word
    to: str | Place,
    *,
    where: Sequence[str] = (),
    split: str = "",
    settings: Sequence[str] = (),
    size: Refit | None = None,
    copy: bool = False,
    watch: Watch = lambda _: None,
) -> Exported:
    """Write the kept clips of a set, or for a format of grounding its spans, in a format to a new folder.

    `where` are further rules that clips must hold; `split` is written `train:0.98,val:0.02`, by source video;
    `settings` are the format's parameters, `size` how files are cropped, scaled and re-timed on the way; otherwise
    they are linked where the disk allows it, or copied. The folder gets its name only when it is whole; the same call
    after a kill uses the files that are there. Raises `UsageError`, `SetError`.
    """
    folder, to = set_folder(folder), here(to, "an export")
    if to.is_symlink() or to.name in ("", ".."):
        to = to.resolve()  # a finished export takes the place of the folder itself
    check_set(folder)
    step = find("exports", format)
    check_installed(step)
    parameters = check_parameters(step, read_settings(settings))
    choice = Choice(tuple(where), split, size, copy)
    if step.wants[0] != "videos":
        return export_clips(Store(folder), step, parameters, to, choice, watch)
    if where or size or copy:
        raise UsageError(
            f"{format} holds spans of the source videos and no clips, so rules for clips and sizes, rates and copies "
            "of their files say nothing about it; leave out --where, --size, --fps, --frames and --copy"
        )
    return export_spans(Store(folder), step, parameters, to, split, watch)
