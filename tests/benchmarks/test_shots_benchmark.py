"""What `benchmarks/shots.py` says of detectors: the numbers of the protocols' own code, and of plain cases."""

import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

import shots
from _judge import Share, evaluate
from _match import Prediction, match_in_order, match_nearest
from truth import Span, Truth, read


def truth_of(*transitions: Span, frames: int = 1000, fps: float = 25.0, name: str = "video", **more) -> Truth:
    return Truth(name, Path(f"{name}.mp4"), fps, frames, transitions, **more)


def perfect(truth: Truth) -> list[Prediction]:
    names = {"jumpcut": "cut", "fade_black": "fade", "fade_white": "fade"}
    return [
        Prediction(one.first_frame, one.last_frame, names.get(one.kind, one.kind), 0.9) for one in truth.transitions
    ]


def shifted(truth: Truth, frames: int) -> list[Prediction]:
    return [Prediction(one.first_frame + frames, one.last_frame + frames, one.kind) for one in perfect(truth)]


# Plain cases


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (10, 11, 0.6226, 0.9838),
        (50, 100, 0.4038, 0.5962),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson(part, whole, low, high) -> None:
    assert Share(part, whole).interval == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("tolerance", "hits"), [(0, 1), (1, 2), (2, 3)])
def test_shotbench_examples(tolerance, hits) -> None:
    """The examples in the docstring of `evaluate_scenes`: a prediction at 6, true cuts at 6, 5, 4, 3."""
    found = [match_in_order([Span("cut", at, at)], [Prediction(6, 6, "cut")], tolerance).pairs for at in (6, 5, 4, 3)]
    assert [bool(pairs) for pairs in found] == [at < hits for at in range(4)]


def test_shotbench_takes_them_in_order() -> None:
    """A prediction in the middle finds the first transition that it touches, ours the nearest."""
    true = [Span("cut", 10, 10), Span("cut", 13, 13)]
    said = [Prediction(12, 12, "cut"), Prediction(13, 13, "cut")]
    assert match_in_order(true, said, 2).pairs == {0: 0, 1: 1}
    assert match_nearest(true, said, 2).pairs == {1: 1, 0: 0}
    assert match_in_order(true, said[:1], 2).pairs == {0: 0}
    assert match_nearest(true, said[:1], 2).pairs == {1: 0}


def test_perfect_predictions() -> None:
    true = truth_of(
        Span("cut", 300, 300), Span("dissolve", 400, 419), Span("jumpcut", 500, 500), long_takes=((0, 299),)
    )
    result = evaluate([true], {"video": perfect(true)})
    for agreement in (result.exact, result.shotbench):
        assert (agreement.precision, agreement.recall, agreement.f1) == (1, 1, 1)
        assert agreement.named_by_kind == agreement.recall_by_kind
        assert agreement.precision_by_kind == {"cut": Share(2, 2), "dissolve": Share(1, 1)}
    assert (result.purity, result.takes_kept) == (Share(2, 2), Share(1, 1))
    assert (result.covered_s, result.long_takes_s) == (12.0, 12.0)
    assert (result.cut_offset_frames, result.start_error_frames, result.end_error_frames) == (0, 0, 0)
    assert result.calibration_error == pytest.approx(0.1)


def test_three_frames_beside_is_not_found() -> None:
    true = truth_of(*(Span("cut", at, at) for at in (100, 200, 300)), Span("dissolve", 400, 419))
    for frames, cuts in ((2, 3), (3, 0), (-2, 3), (-3, 0)):
        result = evaluate([true], {"video": shifted(true, frames)})
        assert result.exact.recall_by_kind == {"cut": Share(cuts, 3), "dissolve": Share(1, 1)}
        assert result.shotbench.recall_by_kind == result.exact.recall_by_kind
        assert result.cut_offset_frames == (frames if cuts else None)
        assert result.start_error_frames == abs(frames)


def test_what_is_neither_right_nor_wrong() -> None:
    true = truth_of(
        Span("wipe", 100, 120),
        ignore=((500, 510),),
        distractors=(Span("shake", 600, 700), Span("flash", 650, 652)),
    )
    said = [Prediction(at, at, "cut", 0.55) for at in (100, 119, 505, 610, 655, 900)]
    result = evaluate([true], {"video": said})
    assert (result.exact.found, result.exact.wrong, result.duplicates, result.ignored) == (1, 3, 1, 1)
    assert (result.shotbench.found, result.shotbench.wrong) == (1, 4)
    assert result.false_positives == {"flash": 1, "plain": 1, "shake": 1}
    assert result.distractors == {"flash": 1, "shake": 1}
    assert result.exact.named_by_kind == {"wipe": Share(0, 1)}
    assert result.exact.precision_by_kind == {"cut": Share(1, 4)}
    (only,) = result.reliability
    assert (only.low, only.high, only.count, only.true) == (0.5, 0.6, 5, 2 / 5)
    assert result.calibration_error == pytest.approx(0.15)


def test_takes_that_are_reported() -> None:
    """At 25 fps: a missed cut spoils one reported take of two, a wrong one halves a true one."""
    true = truth_of(Span("cut", 300, 300), Span("cut", 600, 600), long_takes=((0, 299), (300, 599), (600, 999)))
    result = evaluate([true], {"video": [Prediction(600, 600), Prediction(740, 740)]})
    assert result.purity == Share(1, 2)
    assert result.takes_kept == Share(2, 3)
    assert (result.covered_s, result.long_takes_s) == ((600 + 260) / 25, 40.0)
    assert result.reliability == ()
    assert result.calibration_error is None


def test_nothing_predicted() -> None:
    result = evaluate([truth_of(Span("cut", 10, 10)), truth_of(name="other")], {"other": []})
    assert (result.exact.precision, result.exact.recall, result.exact.f1) == (1.0, 0.0, 0.0)
    assert result.without_prediction == ("video",)


spans = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30), st.booleans()), max_size=12)


@given(spans, spans, st.randoms(use_true_random=False))
def test_every_prediction_counts_once(true, said, shuffle) -> None:
    """Nothing is lost or counted twice, whatever the order of predictions, and all that is found lies near."""
    transitions = tuple(Span("dissolve" if width else "cut", first, first + width) for first, width, _ in sorted(true))
    predictions = [
        Prediction(first, first + width, "dissolve" if width else "cut", (first % 11) / 10) for first, width, _ in said
    ]
    one = truth_of(*transitions, frames=500, ignore=((200, 220),))
    result = evaluate([one], {"video": predictions})
    for agreement in (result.exact, result.shotbench):
        assert agreement.found + agreement.missed == len(transitions)
        assert sum(share.whole for share in agreement.recall_by_kind.values()) == len(transitions)
        assert 0 <= agreement.f1 <= 1
    assert result.exact.found + result.exact.wrong + result.duplicates + result.ignored == len(predictions)
    assert result.shotbench.found + result.shotbench.wrong + result.ignored == len(predictions)
    assert sum(result.false_positives.values()) == result.exact.wrong
    assert sum(filled.count for filled in result.reliability) == len(predictions) - result.ignored
    low, high = result.purity.interval
    assert low <= (result.purity.value or 0) <= high
    for i, j in match_nearest(transitions, predictions, 2).pairs.items():
        assert predictions[j].last_frame >= transitions[i].first_frame - 2
        assert predictions[j].first_frame <= transitions[i].last_frame + 2
    shuffle.shuffle(predictions)
    again = evaluate([one], {"video": predictions})
    assert (again.exact.found, again.exact.wrong, again.purity) == (
        result.exact.found,
        result.exact.wrong,
        result.purity,
    )


# The footage's own judge


def noisy(truth: Truth, seed: int) -> list[object]:
    """Return boundaries in all forms: most of the true ones, some moved, doubled or lost, and some invented."""
    rng = random.Random(f"{truth.name}{seed}")
    said: list[object] = []
    for one in truth.transitions:
        move = rng.choice((0, 0, 0, -1, 1, 2, -3, 4))
        if rng.random() < 0.8:
            said.append([one.first_frame + move, one.last_frame + rng.choice((0, 0, 3, 9))])
        if rng.random() < 0.3:
            said.append(one.last_frame + move)
    said += [rng.randrange(truth.frames) for _ in range(5)]
    said += [{"t": rng.uniform(0, truth.frames / truth.fps)} for _ in range(5)]
    said += [one.first_frame for one in truth.distractors if rng.random() < 0.4]
    said += [first for first, _ in truth.ignore]
    return said


@pytest.mark.parametrize("seed", range(4))
def test_exact_equals_the_footage_s_own_judge(seed, footage, tmp_path) -> None:
    truths = read(footage / "dev")
    said = {truth.path.name: noisy(truth, seed) for truth in truths}
    if seed == 3:
        said.pop(truths[0].path.name)
    predictions, out = tmp_path / "said.json", tmp_path / "out.json"
    predictions.write_text(json.dumps(said))
    command = [sys.executable, footage / "score.py", predictions, "--truth", footage / "dev" / "truth", "--json", out]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    theirs = json.loads(out.read_text())
    ours = evaluate(truths, shots.read_predictions(predictions, truths))
    assert (ours.exact.precision, ours.exact.recall, ours.exact.f1) == pytest.approx(
        (theirs["precision"], theirs["recall"], theirs["f1"])
    )
    counts = (ours.exact.found, ours.exact.wrong, ours.exact.missed, ours.duplicates, ours.ignored)
    assert counts == tuple(theirs[name] for name in ("tp", "fp", "fn", "dup", "ignored"))
    by_kind = {kind: {"found": one.part, "total": one.whole} for kind, one in ours.exact.recall_by_kind.items()}
    assert by_kind == theirs["by_type"]
    assert ours.false_positives == theirs["fp_by_distractor"]
    assert [ours.takes_kept.part, ours.takes_kept.whole] == theirs["long_takes"]
    assert [ours.purity.part, ours.purity.whole] == theirs["pure"]
    assert f"{ours.cut_offset_frames:+.2f}" == re.search(r"offset on matched cuts (\S+)", printed)[1]
    assert ours.duplicates and ours.ignored and ours.exact.wrong and ours.exact.missed


def test_perfect_predictions_of_the_footage(footage) -> None:
    truths = read(footage / "dev")
    result = evaluate(truths, {truth.name: perfect(truth) for truth in truths})
    assert result.exact.f1 == result.shotbench.f1 == 1
    assert result.purity.value == result.takes_kept.value == 1
    assert result.covered_s == pytest.approx(result.long_takes_s, rel=0.01)


# The whole


def test_the_command(media, tmp_path, monkeypatch, capsys) -> None:
    """A detector and a file of predictions on made videos, with the detector's cost, printed and as a file."""
    for name in ("cut", "dissolve", "long_takes"):
        true = media.truth[name]["transitions"]
        # A shot ends before its transition starts, and the next one starts where the transition ends.
        starts, ends = [0, *(one["end_frame"] for one in true)], [*(one["start_frame"] for one in true), 10_000]
        lines = [f"{start}\t{end - 1}" for start, end in zip(starts, ends, strict=True)]
        shutil.copy(media[name], tmp_path / f"{name}.mp4")
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    (tmp_path / "mine.json").write_text(json.dumps({"cut.mp4": [48], "dissolve.mp4": [{"t": 0.0}]}))
    out = tmp_path / "out.json"
    command = ["shots.py", str(tmp_path), "--layout", "shot", "--detector", "change", "--json", str(out)]
    command += ["--predictions", str(tmp_path / "mine.json"), "--speed", "--pairs", "1", "--workers", "2"]
    monkeypatch.setattr(sys, "argv", command)
    shots.main()
    printed = capsys.readouterr().out
    assert "3 videos, " in printed
    assert "4 transitions, 2 takes of 10 s and more" in printed
    assert re.search(r"^change +1\.000 +1\.000 +1\.000 +2/2 +2/2$", printed, re.MULTILINE)
    assert re.search(r"^mine +0\.500 +0\.250 +0\.333 +1/2 +0/2$", printed, re.MULTILINE)
    assert "mine says nothing of long_takes" in printed
    found = json.loads(out.read_text())
    assert found["videos"] == ["cut", "dissolve", "long_takes"]
    assert set(found["versions"]) == {"longtake", "av", "ffmpeg"}
    change, mine = found["detectors"]["change"], found["detectors"]["mine"]
    assert change["exact"]["named_by_kind"]["gradual"] == {"part": 2, "of": 2}
    assert change["purity"]["part"] == change["purity"]["of"] == 2
    assert change["cut_offset_frames"] == 0
    assert change["reliability"]
    assert change["speed"]["total_cpu_ratio"] > 0
    assert mine["exact"]["f1"] == pytest.approx(1 / 3, abs=1e-4)
    assert mine["speed"] is None


def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.delenv("LONGTAKE_FOOTAGE", raising=False)
    for arguments, words in (
        ([], "name the folder"),
        ([str(tmp_path)], "no annotated video"),
        ([str(tmp_path), "--layout", "clipshots"], "No such file"),
    ):
        monkeypatch.setattr(sys, "argv", ["shots.py", *arguments])
        with pytest.raises(SystemExit):
            shots.main()
        assert words in capsys.readouterr().err
