"""Heads over picture vectors: each form of file, what is no head, and weights that come over the network."""

import functools
import http.server
import importlib
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from longtake import heads
from longtake.errors import VideoError
from longtake.heads import HEADS, Known, load_head

HERE = all(importlib.util.find_spec(name) for name in ("torch", "safetensors", "huggingface_hub"))
needs_torch = pytest.mark.skipif(not HERE, reason="needs torch and safetensors: requirements/local.txt")

WIDTH = 12
FORMS = [".npz", pytest.param(".safetensors", marks=needs_torch), pytest.param(".pth", marks=needs_torch)]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def loaded_anew() -> Iterator[None]:
    """Let no test profit from what another one loaded, or failed to."""
    heads._loaded.cache_clear()
    yield
    heads._loaded.cache_clear()


def vectors(count: int = 40) -> np.ndarray:
    found = np.random.default_rng(5).normal(size=(count, WIDTH)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def mlp(prefix: str = "layers.", *, sizes: tuple[int, ...] = (WIDTH, 9, 8, 7, 6, 5, 4, 3, 1)) -> dict[str, np.ndarray]:
    """Return many layers, numbered as with dropout between them: in a file number 10 stands before 2."""
    rng = np.random.default_rng(7)
    made = {}
    for number, (wide, narrow) in enumerate(pairwise(sizes)):
        made[f"{prefix}{2 * number}.weight"] = rng.normal(size=(narrow, wide)).astype(np.float32)
        made[f"{prefix}{2 * number}.bias"] = rng.normal(size=narrow).astype(np.float32)
    return made


def saved(path: Path, tensors: dict[str, np.ndarray]) -> str:
    """Write tensors in the form that a file's name says."""
    if path.suffix == ".npz":
        np.savez(path, **tensors)
    elif path.suffix == ".safetensors":
        importlib.import_module("safetensors.numpy").save_file(tensors, path)
    else:
        torch = importlib.import_module("torch")
        torch.save({name: torch.from_numpy(value) for name, value in tensors.items()}, path)
    return str(path)


def through(tensors: dict[str, np.ndarray], given: np.ndarray, *, relu: bool = False) -> np.ndarray:
    """Go through layers one by one, as torch would."""
    names = sorted((name for name in tensors if name.endswith("weight")), key=lambda name: int(name.split(".")[-2]))
    for name in names:
        given = given @ tensors[name].T.astype(np.float64) + tensors[name.removesuffix("weight") + "bias"]
        if relu and name != names[-1]:
            given = np.maximum(given, 0)
    return given[:, 0]


def refusal(weights: Path | str) -> str:
    """Return why a head can't be had."""
    with pytest.raises(VideoError) as caught:
        load_head(str(weights))
    assert caught.value.kind == "no_model"
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("form", FORMS)
def test_layers_without_anything_between_them_are_one(tmp_path, form):
    weights = saved(tmp_path / f"head{form}", mlp())
    head = load_head(weights)
    assert (head.width, len(head.stack)) == (WIDTH, 1)
    np.testing.assert_allclose(head(vectors()), through(mlp(), vectors()), rtol=1e-5, atol=1e-5)
    assert load_head(weights) is head


@pytest.mark.parametrize("form", FORMS)
def test_what_is_between_layers_counts_where_it_is_said(tmp_path, form):
    weights = saved(tmp_path / f"head{form}", mlp("linear_."))
    relu = load_head(weights, "relu")
    np.testing.assert_allclose(relu(vectors()), through(mlp("linear_."), vectors(), relu=True), rtol=1e-5, atol=1e-5)
    assert not np.allclose(relu(vectors()), load_head(weights, "none")(vectors()))


@pytest.mark.parametrize("form", FORMS)
def test_one_layer_with_or_without_a_bias(tmp_path, form):
    weight = np.random.default_rng(1).normal(size=(1, WIDTH)).astype(np.float32)
    plain = load_head(saved(tmp_path / f"plain{form}", {"weight": weight}))
    biased = load_head(saved(tmp_path / f"biased{form}", {"weight": weight, "bias": np.array([2.5], np.float32)}))
    np.testing.assert_allclose(plain(vectors()), vectors() @ weight[0], atol=1e-6)
    np.testing.assert_allclose(biased(vectors()) - plain(vectors()), 2.5, atol=1e-6)


@needs_torch
def test_a_head_gives_what_torch_gives(tmp_path):
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    parts = [torch.nn.Linear(WIDTH, 6), torch.nn.Dropout(0.2), torch.nn.Linear(6, 3), torch.nn.Linear(3, 1)]
    model = torch.nn.Sequential(*parts).half().float().eval()
    torch.save(model.half().state_dict(), tmp_path / "half.pth")
    with torch.no_grad():
        expected = model.float()(torch.from_numpy(vectors()))[:, 0].numpy()
    np.testing.assert_allclose(load_head(str(tmp_path / "half.pth"))(vectors()), expected, atol=1e-5)


def test_a_first_layer_that_scales_its_input(tmp_path):
    """As LAION's detector has it: what comes in is measured in standard deviations from a mean."""
    mean, variance = np.linspace(-0.2, 0.2, WIDTH), np.linspace(0.5, 2, WIDTH)
    tensors = {**mlp("linear_."), "norm.mean": mean, "norm.variance": variance}
    head = load_head(saved(tmp_path / "scaled.npz", tensors), "relu")
    expected = through(mlp("linear_."), (vectors() - mean) / np.sqrt(variance), relu=True)
    np.testing.assert_allclose(head(vectors()), expected, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_a_checker_says_how_far_a_concept_is_over_its_limit(tmp_path, form):
    axes = np.eye(WIDTH, dtype=np.float32)
    tensors = {
        "concept_embeds": 3 * axes[:2],  # only their direction counts
        "concept_embeds_weights": np.array([0.9, 0.5], np.float32),
        "special_care_embeds": axes[2:3],
        "special_care_embeds_weights": np.array([0.6], np.float32),
        "vision_model.embeddings.weight": np.ones((4, 3), np.float32),
    }
    head = load_head(saved(tmp_path / f"checker{form}", tensors))
    shown = np.stack([axes[0], axes[1], axes[5], 0.6 * axes[1] + 0.8 * axes[2]])
    np.testing.assert_allclose(head(shown), [0.1, 0.5, -0.5, 0.1 + 0.01], atol=1e-6)
    assert head.width == WIDTH


NOT_HEADS = {
    "two_numbers": ({**mlp(sizes=(WIDTH, 5, 2))}, "gives 2 numbers, not one"),
    "broken_chain": ({"0.weight": np.ones((5, WIDTH)), "2.weight": np.ones((1, 6))}, "2.weight of shape"),
    "norms": ({**mlp(), "layers.1.running_mean": np.ones(9)}, "layers.1.running_mean is not part of linear layers"),
    "pictures": ({"conv.weight": np.ones((4, 3, 2, 2))}, "is no linear layer"),
    "nothing": ({}, "nothing is not part of linear layers"),
    "not_numbers": ({"weight": np.full((1, WIDTH), np.nan)}, "weight is not all numbers"),
    "words": ({"weight": np.array(["a", "b"])}, "can't be read as a head"),
    "half_a_checker": ({"concept_embeds": np.ones((2, WIDTH))}, "can't be read as a head"),
}


@pytest.mark.parametrize("name", NOT_HEADS)
def test_what_is_no_head_is_told(tmp_path, name):
    tensors, told = NOT_HEADS[name]
    assert told in refusal(saved(tmp_path / f"{name}.npz", tensors))


def test_files_of_other_kinds_are_told(tmp_path):
    (tmp_path / "notes.txt").write_text("no weights")
    assert "no file of weights" in refusal(tmp_path / "notes.txt")
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    assert "can't be read as a head" in refusal(tmp_path / "broken.npz")
    missing = refusal(tmp_path / "missing.npz")
    assert "no head" in missing and "aesthetic" in missing


@needs_torch
def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch = importlib.import_module("torch")
    torch.save({"weight": functools.partial(os.system, "true")}, tmp_path / "code.pth")
    assert "can't be read as a head" in refusal(tmp_path / "code.pth")
    torch.save({"state": {"weight": torch.ones(1, WIDTH)}}, tmp_path / "nested.pth")
    assert "it holds more than weights" in refusal(tmp_path / "nested.pth")


def test_every_known_head_names_its_model_and_lies_where_a_file_can():
    for name, known in HEADS.items():
        assert known.model.count("/") == 1, name
        assert known.weights.startswith("https://github.com/") or heads.HUB_FILE.fullmatch(known.weights), name


class Shelf(http.server.BaseHTTPRequestHandler):
    """Gives files as the hub does: what a file is by its name and revision, then its bytes."""

    files: dict[str, bytes]
    asked: list[str]

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        self.asked.append(f"{self.command} {self.path}")
        body = self.files.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        if body is not None:
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{len(body)}"')
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if with_body:
            self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def shelf() -> Iterator[tuple[str, type[Shelf]]]:
    """Serve files on loopback."""
    handler = type("OneShelf", (Shelf,), {"files": {}, "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
        thread.join()


@needs_torch
def test_weights_come_from_the_hub_once(tmp_path, shelf):
    url, handler = shelf
    path = Path(saved(tmp_path / "made.safetensors", mlp()))
    handler.files["/some-body/their.heads/resolve/main/deep/head.safetensors"] = path.read_bytes()
    code = """
from longtake.errors import VideoError
from longtake.heads import load_head
print(load_head("some-body/their.heads/deep/head.safetensors").width)
try:
    load_head("some-body/their.heads/none.safetensors")
except VideoError as error:
    print(error.message)
"""
    alone = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    alone.pop("HF_HUB_OFFLINE", None)
    for times in (1, 2):
        run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=alone)
        width, missing = run.stdout.splitlines()
        assert width == str(WIDTH)
        assert missing.startswith("weights some-body/their.heads/none.safetensors could not be downloaded (")
        assert run.stderr == ""
        assert len([asked for asked in handler.asked if "deep/head" in asked and asked.startswith("GET")]) == 1, times


@needs_torch
def test_a_known_head_that_is_not_at_the_hub_is_fetched_once(tmp_path, shelf, monkeypatch, capfd):
    url, handler = shelf
    torch = importlib.import_module("torch")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "cache"))
    monkeypatch.setitem(HEADS, "made-up", Known(f"{url}/made.pth", "some/model", between="relu"))
    assert f"weights {url}/made.pth could not be downloaded (HTTP Error 404" in refusal("made-up")
    handler.files["/made.pth"] = Path(saved(tmp_path / "made.pth", mlp())).read_bytes()
    for _ in range(2):
        heads._loaded.cache_clear()
        found = load_head("made-up")(vectors())
        np.testing.assert_allclose(found, through(mlp(), vectors(), relu=True), rtol=1e-5, atol=1e-5)
    assert handler.asked.count("GET /made.pth") == 2  # the one that failed, and one more
    assert capfd.readouterr() == ("", "")
