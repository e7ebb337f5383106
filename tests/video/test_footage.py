"""Real files that break readers: each is read, told damaged, or refused, as its list says."""

import re

import numpy as np
import pytest
from footage import corrupt_expected

from longtake.errors import VideoError
from longtake.records import Series
from longtake.video import Tap, probe, scan

NAMES = list(corrupt_expected()) or ["no footage"]
REFUSED = {
    "missing_moov.mp4": "damaged",
    "zero_byte.mp4": "empty",
    "text_renamed.mp4": "not_a_video",
    "html_error_page.mp4": "not_a_video",
    "png_renamed.mp4": "not_a_video",
    "audio_only.mp4": "no_video_stream",
    "mp3_cover_art.mp3": "no_video_stream",
    "directory.mp4": "unreadable",
    "broken_symlink.mp4": "missing",
}


class Light:
    columns = ("light",)
    tap = Tap((48, 27), "gray")

    def __call__(self, frames):
        light = frames.pixels.mean((1, 2), keepdims=True)[:, 0] if len(frames.times) else np.empty((0, 1))
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), light.astype(np.float32))


@pytest.mark.parametrize("name", NAMES, ids=lambda name: re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII))
def test_corrupt_file(corrupt, name):
    path, expected = corrupt.folder / name, corrupt.expected[name]
    if expected["expect"] in ("error", "reject"):
        for look in (probe, lambda path: scan(path, {"light": Light()})):
            with pytest.raises(VideoError) as failed:
                look(path)
            assert failed.value.kind == REFUSED[name]
        return
    probed = probe(path)
    done = scan(path, {"light": Light()})
    light = done.series["light"]
    assert len(light) == done.video.frames > 0
    assert light.times[0] == 0
    assert (np.diff(light.times) > 0).all()
    assert light.times[-1] < done.video.duration_s
    if "shown" in expected:
        assert [probed.width, probed.height] == [done.video.width, done.video.height] == expected["shown"]
    counted = int(expected["ffprobe"]["nb_read_frames"])
    assert done.video.frames == counted
    if expected["expect"] == "ok":
        assert probed.frames == counted
        assert probed.duration_s == pytest.approx(done.video.duration_s, abs=0.001)
        assert probed.first_timestamp_s == pytest.approx(done.video.first_timestamp_s, abs=0.001)
    elif expected["expect"] == "partial":
        assert "of the declared" in " ".join(done.video.damage)
        assert "of the declared" in " ".join(probed.damage)
    else:
        assert done.video.damage


def test_what_an_edit_list_hides_is_not_lost(corrupt):
    path = corrupt.folder / "editlist_trims_start.mp4"
    assert probe(path).damage == scan(path, {}).video.damage == ()
    assert scan(corrupt.folder / "starts_mid_gop.ts", {}).video.damage == ("the first 0.5 s don't decode",)


def test_dev_videos_are_sound(footage):
    """Probing real films finds the sizes that their truth files name."""
    videos = sorted((footage / "dev" / "videos").iterdir())
    assert videos
    for path in videos:
        video = probe(path)
        assert video.damage == (), path.name
        assert video.frames > 100
        assert min(video.width, video.height) >= 180
