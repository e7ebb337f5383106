"""What the network of `text` learns from, and that the package runs it as it was trained."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no torch")
pytest.importorskip("PIL", reason="no pillow")

TRAINING = Path(__file__).parents[2] / "training"


@pytest.fixture(scope="module", autouse=True)
def modules():
    """The training's files import each other by name, as scripts do."""
    sys.path.insert(0, str(TRAINING))
    yield
    sys.path.remove(str(TRAINING))


@pytest.mark.parametrize("shape", [(272, 480), (267, 474)])
def test_numpy_gives_what_torch_gives(shape: tuple[int, int], tmp_path: Path) -> None:
    from text import Network as Trained

    from longtake.signals._lettering import Network

    torch.manual_seed(1)
    trained = Trained()
    np.savez(tmp_path / "weights.npz", **trained.plain())
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(0, 256, (20, 30), dtype=np.uint8), shape[::-1])
    whole = np.pad(picture, [(0, -side % 8) for side in shape], mode="edge")
    with torch.inference_mode():
        expected = torch.sigmoid(trained(torch.from_numpy(whole[None]).float()))[0].numpy()
    for k, found in enumerate(Network(tmp_path / "weights.npz")(picture)):
        np.testing.assert_allclose(found, expected[..., k], atol=5e-3)


def test_the_layer_says_where_text_is() -> None:
    from lettering import FINE, Layer

    layer = Layer.empty((64, 40))
    mask = np.zeros((40 * FINE, 64 * FINE), np.float32)
    mask[10 * FINE : 20 * FINE, 8 * FINE : 24 * FINE] = 1
    layer.paint(mask, ink=1.0, alpha=0.5)
    layer.text[mask > 0] = 1
    picture, text = layer.over(np.full((40, 64), 100, np.uint8))
    assert text.sum() == 10 * 16
    assert set(np.unique(picture[text > 0])) <= {177, 178}
    assert (picture[text == 0] == 100).all()
