"""LVD-2M's motion: which frames make a pair, and in what units; and torchvision's RAFT with random weights.

The latter runs where torchvision is installed, or lies in .venv/torchvision, where `make more` puts it: in a folder of
its own it goes with a torch for processors too, and nobody else sees it.
"""

import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import wheel
from hypothesis import given
from hypothesis import strategies as st
from media import pan, texture, write_video
from numpy.typing import NDArray

from longtake import jobs
from longtake.errors import VideoError
from longtake.records import Series
from longtake.scores.raft import raft as score
from longtake.signals import raft
from longtake.signals.raft import Raft, lengths, load_network
from longtake.video.scan import Frames, Tap, join, scan

Pixels = NDArray[np.uint8]
BESIDE = Path(__file__).resolve().parents[2] / ".venv" / "torchvision"
FOLDER = str(BESIDE) if BESIDE.is_dir() else ""
SMALL = (128, 192)
"""The least that RAFT can see; a pair at 520x960 takes seconds."""


class Still:
    """Stands in for the network: a classical flow between the pictures as RAFT would see them."""

    on_gpu = False

    def __call__(self, before: Pixels, after: Pixels) -> NDArray[np.float32]:
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        height, width = raft.SIZE

        def seen(picture: Pixels) -> Pixels:
            shown = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
            return np.asarray(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), np.uint8)

        pairs = zip(before, after, strict=True)
        return np.stack([flow.calc(seen(a), seen(b), None).transpose(2, 0, 1) for a, b in pairs])


@pytest.fixture
def classical(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raft, "load_network", lambda *_: Still())


def feed(signal: Raft, times: list[float], pictures: Pixels, block: int) -> Series:
    """Show a signal pictures in blocks, in one buffer that is overwritten after each call, as a scan does."""
    parts, buffer = [], np.empty((block, *pictures.shape[1:]), np.uint8)
    for start in range(0, len(times) + 1, block):
        rows = slice(start, start + block)
        seen_s, numbers = np.array(times[rows]), np.arange(len(times), dtype=np.int32)[rows].copy()
        buffer[: len(seen_s)] = pictures[rows]
        parts.append(signal(Frames(seen_s, numbers, buffer[: len(seen_s)], start + block > len(times))))
        buffer[:], seen_s[:], numbers[:] = 99, -1, -1
    return join(signal.columns, parts)


# Pairs and units


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (240, 240)], ids=["wide", "tall", "square"])
@pytest.mark.parametrize("fps", [24, 30])
def test_a_pan_has_its_speed_in_heights_and_its_way_in_pixels(tmp_path, classical, size, fps):
    speed = 0.15
    path = write_video(tmp_path / "pan.mp4", pan(2 * fps + 1, seed=3, speed=speed, size=size, fps=fps), fps=fps)
    series = scan(path, {"raft": Raft()}).series["raft"]
    assert series.times.tolist() == pytest.approx([0, 0.5, 1, 1.5, 2])
    found = score(series)
    assert found["mean"] == pytest.approx(speed, rel=0.1)
    assert found["mean_px"] == pytest.approx(speed * 0.5 * size[1] / size[0] * 960, rel=0.1)


def real_pan(path: Path, speed: float, *, fps: int = 24, size: tuple[int, int] = (320, 180)) -> dict[str, Any]:
    """Measure a real picture that a window moves over, at so many of the window's heights per second."""
    [picture] = wheel.pictures("bigbuckbunny", first=70, count=1, pixels="rgb24")
    at = [(480 + 360 * speed * i / fps, 360) for i in range(fps + 1)]
    shown = [cv2.resize(cv2.getRectSubPix(picture, (640, 360), a), size, interpolation=cv2.INTER_AREA) for a in at]
    return score(scan(write_video(path, shown, fps=fps), {"raft": Raft()}).series["raft"])


def test_a_real_picture_that_moves_faster_scores_more(tmp_path, classical):
    still, slow, fast = (real_pan(tmp_path / "pan.mp4", speed)["mean_px"] for speed in (0.0, 0.05, 0.4))
    assert still < 1 < slow == pytest.approx(13.5, rel=0.1)
    assert fast == pytest.approx(108, rel=0.1)


def test_rate_and_size_of_a_real_video_do_not_matter(tmp_path, classical):
    found = real_pan(tmp_path / "pan.mp4", 0.2)
    assert real_pan(tmp_path / "twice.mp4", 0.2, fps=48) == pytest.approx(found, rel=0.05)
    assert real_pan(tmp_path / "large.mp4", 0.2, size=(640, 360)) == pytest.approx(found, rel=0.05)


def test_a_still_video_does_not_move(tmp_path, classical):
    path = write_video(tmp_path / "still.mp4", [texture(320, 180, 1)] * 49)
    assert score(scan(path, {"raft": Raft()}).series["raft"])["mean_px"] < 0.5


def test_speeds_go_by_the_times_of_the_frames(tmp_path, classical):
    """From 2 s on one frame comes every 0.7 s, then none for 2 s."""
    times = [*(i / 30 for i in range(60)), 2.0, 2.7, 3.4, 4.1, 6.1, 6.2, 6.6]
    shown = pan(len(times), seed=4, speed=0.1, times=times)
    series = scan(write_video(tmp_path / "vfr.mp4", shown, times=times), {"raft": Raft()}).series["raft"]
    assert series.times.tolist() == pytest.approx([0, 0.5, 1, 1.5, 2, 2.7, 3.4, 4.1, 6.1, 6.6], abs=1e-3)
    far = np.isnan(series.column("mean"))
    assert series.times[far].tolist() == pytest.approx([4.1, 6.6], abs=1e-3)
    assert series.column("mean")[~far] == pytest.approx(0.1, rel=0.15)
    assert series.column("mean_px")[4:7] == pytest.approx(series.column("mean_px")[:3] * 1.4, rel=0.15)


@given(
    x=st.floats(-300, 300),
    y=st.floats(-300, 300),
    aspect=st.floats(0.3, 3),
    apart_s=st.floats(0.25, 0.75),
)
def test_lengths_of_an_even_flow(x, y, aspect, apart_s):
    flow = np.broadcast_to(np.array([x, y], np.float32)[None, :, None, None], (1, 2, 52, 96))
    [(mean_px, mean)] = lengths(flow, aspect=aspect, apart_s=np.array([apart_s]))
    assert mean_px == pytest.approx(np.hypot(x, y), rel=1e-4, abs=1e-6)
    assert mean == pytest.approx(np.hypot(x / 96 * aspect, y / 52) / apart_s, rel=1e-4, abs=1e-6)


def test_opposite_ways_do_not_cancel():
    flow = np.zeros((1, 2, 4, 8), np.float32)
    flow[:, 0, :, :4], flow[:, 0, :, 4:] = -10, 10
    assert lengths(flow, aspect=2, apart_s=np.array([0.5]))[0].tolist() == [10, 5]


def test_nothing_seen_gives_no_rows(classical):
    assert len(feed(Raft(), [], np.empty((0, 18, 32, 3), np.uint8), 4)) == 0


# torchvision's RAFT


@pytest.fixture(scope="module")
def torchvision() -> Iterator[Any]:
    """torchvision, with what it lacks beside a torch for processors: names of operators that RAFT has no use for."""
    pytest.importorskip("torch")
    if FOLDER:
        sys.path.insert(0, FOLDER)
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("needs torchvision; see the head of this file")
    names = ["nms", "qnms", "deform_conv2d", "_deform_conv2d_backward"]
    names += [f"{a}{kind}{b}" for kind in ("roi_align", "roi_pool") for a, b in (("", ""), ("_", "_backward"))]
    names += [f"{a}ps_{kind}{b}" for kind in ("roi_align", "roi_pool") for a, b in (("", ""), ("_", "_backward"))]
    try:
        yield importlib.import_module("torchvision")
    except RuntimeError:
        from torch import library

        lacking = vars(library)["Library"]("torchvision", "DEF")
        for name in names:
            lacking.define(f"{name}(Tensor x) -> Tensor")
        yield importlib.import_module("torchvision")
    if FOLDER:
        sys.path.remove(FOLDER)


@pytest.fixture
def small(torchvision, monkeypatch) -> Iterator[None]:
    torch = importlib.import_module("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several wait for one another for long where the cores are busy
    raft._loaded.cache_clear()
    monkeypatch.setattr(raft, "SIZE", SMALL)
    yield
    raft._loaded.cache_clear()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def weights(torchvision, tmp_path_factory) -> Path:
    """Random weights of the small network."""
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("raft") / "random.pth"
    torch.save(torchvision.models.optical_flow.raft_small(weights=None).state_dict(), path)
    return path


def moving(count: int) -> Pixels:
    return np.stack(list(pan(count, seed=5, speed=0.5, size=(240, 144))))


def test_rows_are_the_same_whatever_the_blocks(small, weights):
    pictures, times = moving(5), [0.0, 0.5, 1.0, 1.2, 1.7]
    series = [feed(Raft(model="small", weights=str(weights)), times, pictures, block) for block in (1, 3)]
    assert series[0].columns == ("mean_px", "mean")
    assert series[0].times.tolist() == times
    assert series[0].frames.tolist() == [*range(5)]
    assert np.isnan(series[0].values).all(axis=1).tolist() == [False, False, True, False, True]
    assert (series[0].values[[0, 1, 3]] > 0).all()
    np.testing.assert_allclose(series[1].values, series[0].values, rtol=1e-3)
    again = feed(Raft(model="small", weights=str(weights)), times, pictures, 1)
    np.testing.assert_array_equal(again.values, series[0].values)


def test_the_flow_is_torchvisions_own(small, torchvision, weights):
    """As in its example: stretched without antialiasing, levels from -1 to 1, the last of 12 updates."""
    torch = importlib.import_module("torch")
    before, after = moving(2)[:, None]
    resize = importlib.import_module("torchvision.transforms.functional").resize
    seen = [resize(torch.from_numpy(p.transpose(0, 3, 1, 2).copy()), SMALL, antialias=False) for p in (before, after)]
    model = torchvision.models.optical_flow.raft_small(weights=None).eval()
    model.load_state_dict(torch.load(weights, weights_only=True))
    with torch.inference_mode():
        theirs = model(*(picture / 127.5 - 1 for picture in seen), num_flow_updates=12)[-1].numpy()
    ours = load_network("small", str(weights))(before, after)
    assert ours.shape == (1, 2, *SMALL)
    assert np.abs(theirs).max() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-3 * np.abs(theirs).max())


def test_other_forms_of_weights_give_the_same(small, weights, tmp_path, monkeypatch):
    """A .safetensors file, and the published name where torch keeps what it downloaded."""
    torch, safetensors = map(importlib.import_module, ("torch", "safetensors.torch"))
    safetensors.save_file(torch.load(weights, weights_only=True), tmp_path / "random.safetensors")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    published = importlib.import_module("torchvision.models.optical_flow").Raft_Small_Weights.DEFAULT.url
    kept = tmp_path / "hub" / "checkpoints" / Path(published).name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(weights.read_bytes())
    pair = moving(2)[:, None]
    flows = [load_network("small", name)(*pair) for name in (str(weights), f"{tmp_path}/random.safetensors", "default")]
    np.testing.assert_array_equal(flows[1], flows[0])
    np.testing.assert_array_equal(flows[2], flows[0])


def test_the_large_network_and_what_a_worker_does(small, torchvision, tmp_path):
    torch = importlib.import_module("torch")
    torch.save(torchvision.models.optical_flow.raft_large(weights=None).state_dict(), tmp_path / "large.pth")
    path = write_video(tmp_path / "pan.mp4", pan(13, seed=3, speed=0.2))
    recipe = {
        "shots": {"step": "transitions"},
        "signals": {"raft": {"weights": str(tmp_path / "large.pth")}},
        "scores": {"raft": {}},
    }
    done = jobs.measure({"path": str(path), "recipe": recipe, "set": str(tmp_path)}, lambda _: None)
    assert done["series"]["raft"]["values"].shape == (2, 2)
    assert done["clips"][0]["scores"]["raft.mean_px"] > 0
    assert Raft(weights=str(tmp_path / "large.pth")).tap == Tap(1920, "rgb24", 2.0, block=1 if no_gpu() else 4)


def no_gpu() -> bool:
    return not importlib.import_module("torch").cuda.is_available()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "is not there"),
        (b"", "holds no weights for torchvision's raft_large"),
        (b"<html>not found</html>", "holds no weights for torchvision's raft_large"),
        ("small", r"holds no weights for torchvision's raft_large .* give a file such as raft_large_C_T_SKHT_V2"),
        ("list", "holds no weights for torchvision's raft_large"),
    ],
)
@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_a_wrong_file_is_told(small, weights, tmp_path, content, told, kind):
    path = tmp_path / f"wrong.{kind}"
    if content == "small":
        content = weights.read_bytes()
    elif content == "list":
        importlib.import_module("torch").save([1, 2], path)
        content = path.read_bytes()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=told) as caught:
        raft.prepare(model="large", weights=str(path))
    assert caught.value.kind == "no_model"


def test_weights_that_cannot_be_downloaded_are_told(small, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(VideoError, match=r"can't be downloaded \(.*\): .* raft_large_C_T_SKHT_V2.* as `weights`"):
        Raft()
    assert capfd.readouterr() == ("", "")


# Without torchvision, or with one that doesn't fit

TRY = """
import sys
from longtake.signals.raft import load_network
assert not {"torch", "torchvision"} & set(sys.modules)
try:
    load_network("small", "default")
except Exception as error:
    print(type(error).__name__, error.kind, error)
"""


def told_by(path: str) -> str:
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", TRY], capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def test_a_missing_torchvision_is_told():
    if importlib.util.find_spec("torchvision") is not None and not FOLDER:
        pytest.skip("torchvision is here")
    said = told_by("")
    assert said.startswith("VideoError no_model RAFT needs torch and torchvision (No module named 'torch")
    assert said.endswith("pip install torch torchvision\n")


def test_a_torchvision_that_does_not_fit_is_told(torchvision):
    torch = importlib.import_module("torch")
    if not FOLDER or torch.version.cuda:
        pytest.skip("this torchvision fits")
    said = told_by(FOLDER)
    assert said.startswith("VideoError no_model this torchvision doesn't go with this torch (operator torchvision::nms")
    assert "install both anew" in said
