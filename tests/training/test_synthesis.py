"""What the network learns from: that labels are where the pictures say they are."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import pan

TRAINING = Path(__file__).parents[2] / "training"


@pytest.fixture(scope="module", autouse=True)
def modules():
    """The training's files import each other by name, as scripts do."""
    sys.path.insert(0, str(TRAINING))
    yield
    sys.path.remove(str(TRAINING))


@pytest.fixture(scope="module")
def singles(modules):
    from cameras import STORED, Single

    made = []
    for seed in range(4):
        frames = [cv2.resize(p, STORED) for p in pan(50, seed=seed, speed=0.1, fps=25)]
        made.append(Single(f"s{seed}", 25.0, np.stack(frames)))
    return made


def test_the_same_seed_makes_the_same_sequence(singles):
    from synthesis import sequence

    (a, x, s), (b, y, t), (c, _, _) = (sequence(singles, 60, 0.5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(s, t)
    assert (a != c).any()
    assert a.shape == (60, 26, 48, 3) and a.dtype == np.uint8 and x.shape == s.shape == (60,)


def test_frames_are_left_out_of_a_share_of_sequences(singles):
    from synthesis import sequence

    def steps(share, seed):
        return np.diff(sequence(singles, 40, share, np.random.default_rng(seed))[2])

    assert all(np.ptp(steps(0.0, seed)) < 1e-4 for seed in range(5))
    thinned = [steps(1.0, seed) for seed in range(10)]
    assert all(step.min() > 0 and step.max() <= 0.101 for step in thinned)
    assert any(np.ptp(step) > 0.01 for step in thinned) and np.median(np.concatenate(thinned)) > 0.06


def test_a_cut_whose_frame_is_left_out_is_at_the_next_one(modules):
    from labels import CUT, DISSOLVE, NONE
    from thinning import thinned

    labels = np.full(40, NONE)
    labels[13], labels[20:25] = CUT, DISSOLVE
    for seed in range(10):
        kept, out = thinned(labels, 25.0, np.full(20, 2), np.random.default_rng(seed))
        cut = int(kept[np.flatnonzero(out == CUT)].item())
        assert cut == (13 if 13 in kept else 14)
        assert {int(k) for k in kept[out == DISSOLVE]} == {int(k) for k in kept if 20 <= k < 25}


def test_all_kinds_come_up(singles):
    from labels import CUT, DISSOLVE, FADE, NONE, WIPE
    from synthesis import sequence

    labels = np.concatenate([sequence(singles, 160, 0.3, np.random.default_rng(seed))[1] for seed in range(30)])
    share = {kind: float(np.mean(labels == kind)) for kind in (NONE, CUT, DISSOLVE, FADE, WIPE)}
    assert share[NONE] > 0.5
    assert min(share.values()) > 0.001


def test_a_cut_is_the_first_frame_that_is_new(singles):
    from cameras import random_camera, render
    from synthesis import stands_out

    random = np.random.default_rng(3)
    times = np.arange(6) / 25
    old, new = (render(random_camera([single], random), 0, times, random, None) for single in singles[:2])
    assert stands_out(old, new)
    assert not stands_out(old[:3], old[3:])


@pytest.mark.parametrize("kind", ["dissolve", "wipe", "fade"])
def test_mixed_frames_are_neither_old_nor_new(singles, kind):
    from joins import join

    random = np.random.default_rng(4)
    old, new = np.full((12, 26, 48, 3), 60, np.float32), np.full((12, 26, 48, 3), 200, np.float32)
    before = np.full((3, 26, 48, 3), 60, np.float32)
    pictures, labels = join(before, np.zeros(3, np.int64), old, new, kind, random)
    assert labels[:3].tolist() == [0, 0, 0] and len(set(labels[3:])) == 1 and labels[3] > 0
    assert len(pictures) == 15
    assert (np.abs(pictures[3:] - 60).max((1, 2, 3)) > 1).all() and (
        np.abs(pictures[3:] - 200).max((1, 2, 3)) > 1
    ).all()


def test_what_disturbs_changes_pictures_and_no_labels(singles):
    import disturbances

    for name in ("flash", "occluder", "ramp", "inset", "subtitle", "bars_in", "flicker", "focus"):
        pictures = np.random.default_rng(5).uniform(0, 255, (80, 26, 48, 3)).astype(np.float32)
        before = pictures.copy()
        getattr(disturbances, name)(pictures, 20, 25.0, singles, np.random.default_rng(6))
        assert (pictures != before).any(), name
        np.testing.assert_array_equal(pictures[:20], before[:20])


def test_a_sequence_played_backwards_has_its_cuts_one_frame_later(singles):
    pytest.importorskip("torch")
    from labels import CUT
    from train import vary

    x = np.zeros((10, 26, 48, 3), np.uint8)
    x[4:] = 200
    y = np.zeros(10, np.int64)
    y[4] = CUT
    t = np.arange(10, dtype=np.float32) * 0.04
    t[4:] += 0.04  # a frame is left out before the cut
    for seed in range(20):
        shown, labels, times = vary(x, y, t, np.random.default_rng(seed))
        (cut,) = np.flatnonzero(labels == CUT)
        assert (shown[cut] != shown[cut - 1]).all()
        assert times[cut] - times[cut - 1] == pytest.approx(0.08) and (np.diff(times) > 0).all()


def test_the_exported_network_answers_as_the_trained_one(tmp_path):
    torch = pytest.importorskip("torch")
    from export import export
    from network import Network
    from restore import restore

    from longtake.signals._network import Network as Exported

    torch.manual_seed(0)
    trained = Network()
    for module in trained.modules():
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    trained.eval()
    export(trained, tmp_path / "weights.npz")
    exported = Exported(tmp_path / "weights.npz")
    pictures = np.random.default_rng(0).integers(0, 256, (150, 26, 48, 3), np.uint8)
    features, cells, _ = exported.see(pictures, None)
    times = np.cumsum(np.random.default_rng(1).choice([0.04, 0.08], 150))
    with torch.no_grad():
        seen = torch.from_numpy(pictures[None]), torch.from_numpy(times[None].astype(np.float32))
        expected = torch.softmax(trained(*seen), -1)[0].numpy()
    np.testing.assert_allclose(exported.decide(features, cells, times), expected, atol=1e-3)
    again = Network()
    restore(again, tmp_path / "weights.npz", *seen)
    with torch.no_grad():
        np.testing.assert_allclose(torch.softmax(again(*seen), -1)[0].numpy(), expected, atol=1e-3)


def test_some_passages_have_shots_of_a_few_frames(singles):
    from labels import CUT
    from synthesis import sequence

    made = [sequence(singles, 80, 0.0, np.random.default_rng(seed)) for seed in range(30)]
    between = [step for _, y, t in made for step in np.diff(t[np.flatnonzero(y == CUT)])]
    assert min(between) < 0.35 and max(between) > 0.8


def test_lamps_change_the_light_for_a_while_and_not_what_is_shown(singles):
    from disturbances import lights

    before = np.repeat(singles[0].frames[:1, ::3, ::3][:, :24, :43].astype(np.float32), 200, axis=0)
    before = np.stack([cv2.resize(picture, (48, 26)) for picture in before])
    after = before.copy()
    lights(after, 20, 25, singles, np.random.default_rng(1))
    np.testing.assert_array_equal(after[:20], before[:20])
    np.testing.assert_array_equal(after[175:], before[175:])
    changed = np.flatnonzero(np.abs(after - before).max(axis=(1, 2, 3)) > 5)
    assert len(changed) > 5 and after.min() >= 0 and after.max() <= 255
    assert np.corrcoef(after[changed[0]].mean(-1).ravel(), before[0].mean(-1).ravel())[0, 1] > 0.3
