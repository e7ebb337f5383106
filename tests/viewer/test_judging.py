"""What judges say is kept, whatever happens after the answer, and is counted as it was said."""

import itertools
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from looking import served, viewing

from longtake.lock import Lock
from longtake.purity import wilson
from longtake.recipe import load
from longtake.removing import remove_videos
from longtake.select_set import select_set
from longtake.store import Store
from longtake.viewer.notes import COMPACT_AFTER, Notes

RULES = ["duration_s >= 10", "content.max < 0.9", "motion.mean >= 0.077"]


def judged(asker, clip, keep, judge="me", **said):
    assert asker.post("api/judgements", clip_id=clip, keep=keep, judge=judge, **said) == {"saved": True}


def some(asker, show="kept", limit=50):
    return [clip["id"] for clip in asker.post("api/clips", rules=RULES, show=show, limit=limit)["clips"]]


def test_a_judgement_is_there_after_kill_9(own):
    with viewing(own) as (process, asker):
        clip = some(asker)[0]
        judged(asker, clip, False, flags=["text", "cut"], note="a logo, <b>top left</b>")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with viewing(own) as (_, asker):
        shown = asker.post("api/clips", rules=RULES, judged="yes")["clips"]
    assert [one["id"] for one in shown] == [clip]
    assert shown[0]["judgement"] == {"keep": False, "flags": ["cut", "text"], "note": "a logo, <b>top left</b>"}


def test_a_run_beside_is_not_waited_for(own):
    with served(own) as asker, Lock(own):
        judged(asker, some(asker)[0], True)
        assert asker.get("api/judging")["judged"] == 1
        # Other rules are the set's: they have to wait.
        assert "another run" in asker.post("api/save", 400, rules=["duration_s >= 3"])["error"]


def test_the_last_word_is_the_last_after_a_clock_was_put_back(own):
    notes, ahead = Notes(Store(own)), datetime(2200, 1, 1, tzinfo=UTC)
    clip = {"clip_id": "c", "video_id": "v", "judge": "me"}
    Store(own).append("judgements", [{**clip, "keep": True, "made": ahead}])
    for keep in (False, None):
        notes.add("judgements", [{**clip, "keep": keep}])
        assert notes.judgements()["c"]["me"]["keep"] is keep
    notes.add("choices", [{**clip, "first": "a", "second": "b", "chosen": "a"}])
    assert notes.choices()[0]["made"] < ahead


def test_the_last_word_of_a_judge_counts(own):
    with served(own) as asker:
        first, second, third = some(asker)[:3]
        for keep in (True, None, False):
            judged(asker, first, keep)
        judged(asker, second, True)
        judged(asker, third, True)
        judged(asker, third, False, "you", flags=["static"])
        shown = {clip["id"]: clip["judgement"] for clip in asker.post("api/clips", rules=RULES)["clips"]}
        mine = {c["id"]: c["judgement"] for c in asker.post("api/clips", rules=RULES, judge="me")["clips"]}
        told = asker.get("api/judging")
        lists = {
            word: {c["id"] for c in asker.post("api/clips", rules=RULES, judged=word, judge="me")["clips"]}
            for word in ("yes", "no", "keep", "reject", "static")
        }
        flagged = asker.post("api/clips", rules=RULES, judged="static")["clips"]
    assert shown[first]["keep"] is False
    assert shown[third]["keep"] is False
    assert mine[third]["keep"] is True
    assert told["judges"] == ["me", "you"]
    # What the two are divided on counts for neither.
    assert told["precision"]["n"] == 2
    assert told["flags"] == {"static": 1}
    assert lists["yes"] == {first, second, third} == lists["keep"] | lists["reject"]
    assert lists["keep"] == {second, third}
    assert not lists["no"] & lists["yes"]
    assert lists["static"] == set()
    assert [clip["id"] for clip in flagged] == [third]


def test_precision_and_recall_are_those_of_the_sample(own):
    with served(own) as asker:
        ids = asker.post("api/sample", kept=12, rejected=20, seed=4, rules=RULES)["ids"]
        kept = {clip["id"] for clip in asker.post("api/clips", rules=RULES, limit=200)["clips"]}
        chosen, others = [i for i in ids if i in kept], [i for i in ids if i not in kept]
        before = asker.get("api/judging", judge="me")["sample"]
        for number, clip in enumerate(chosen):
            judged(asker, clip, number < 9)
        for number, clip in enumerate(others):
            judged(asker, clip, number < 5)
        # Looked at for another reason: no part of the sample, and so not counted.
        judged(asker, next(iter(kept - set(ids))), False)
        told = asker.get("api/judging", judge="me")
        for_you = asker.get("api/judging", judge="you")["sample"]
    assert (len(chosen), len(others)) == (12, 20)
    assert before == {"size": 32, "done": 0, "next": ids}
    assert told["at_random"]
    assert told["sample"] == {"size": 32, "done": 32, "next": []}
    assert for_you["next"] == ids
    assert told["precision"]["value"] == 9 / 12
    assert (told["precision"]["low"], told["precision"]["high"]) == pytest.approx(wilson(9, 12))
    good, missed = len(kept) * 9 / 12, (120 - len(kept)) * 5 / 20
    assert told["recall"]["value"] == pytest.approx(good / (good + missed))
    assert told["labels"] == 32


def test_a_mark_or_a_note_is_no_verdict(own):
    with served(own) as asker:
        first, second = asker.post("api/sample", kept=1, rejected=1, seed=4, rules=RULES)["ids"]
        judged(asker, first, None, flags=["cut"])
        judged(asker, second, None, note="what is this?")
        marked = asker.get("api/judging", judge="me")
        judged(asker, first, False, flags=["cut"])
        decided = asker.get("api/judging", judge="me")
    assert marked["sample"] == {"size": 2, "done": 0, "next": [first, second]}
    assert marked["flags"] == {"cut": 1}
    assert decided["sample"] == {"size": 2, "done": 1, "next": [second]}


def test_clips_that_are_not_there_any_more_are_not_to_be_judged(own):
    with served(own) as asker:
        ids = asker.post("api/sample", kept=5, rejected=5, seed=4, rules=RULES)["ids"]
        Store(own).delete("clips", "id", ids[:1])  # as where clips were made anew, with other ends
        told = asker.get("api/judging", judge="me")["sample"]
    assert told == {"size": 9, "done": 0, "next": ids[1:]}


def test_the_same_sample_tells_of_other_rules(own):
    """Judged by a hidden truth about two scores: what the rules are worth is estimated near what it is."""
    columns = {row["id"]: row for row in Store(own).read("clips", ["id", "duration_s", "look"]).to_pylist()}
    truth = {name: row["look"]["luma"] >= 0.4 for name, row in columns.items()}
    with served(own) as asker:
        for clip in asker.post("api/sample", kept=60, rejected=60, seed=1, rules=["duration_s >= 8"])["ids"]:
            judged(asker, clip, truth[clip])
        rules = '["duration_s >= 6", "look.luma >= 0.3"]'
        told = asker.get("api/judging", rules=rules)
        suggested = asker.get("api/judging", rules='["duration_s >= 0.1"]')["suggestions"][0]
    kept = [name for name, row in columns.items() if row["duration_s"] >= 6 and row["look"]["luma"] >= 0.3]
    hits = sum(truth[name] for name in kept)
    assert told["precision"]["low"] < hits / len(kept) < told["precision"]["high"]
    assert told["recall"]["low"] < hits / sum(truth.values()) < told["recall"]["high"]
    assert (suggested["score"], suggested["comparison"]) == ("look.luma", ">=")
    assert suggested["number"] == pytest.approx(0.4, abs=0.05)
    assert suggested["kept"] == pytest.approx(sum(truth.values()), abs=6)
    assert suggested["kept"] - 120 == suggested["kept_change"]
    assert suggested["f1"] > suggested["f1_now"]


def test_a_sample_is_drawn_at_random_and_kept(own):
    with served(own) as asker:
        first = asker.post("api/sample", kept=10, rejected=10, seed=1)["ids"]
        again = asker.post("api/sample", kept=10, rejected=10, seed=1)["ids"]
        other = asker.post("api/sample", kept=500, rejected=5, seed=2)["ids"]
        kept = asker.post("api/select", rules=RULES)["kept"]
    with served(own) as asker:
        assert asker.get("api/judging")["sample"]["next"] == other[:50]
    assert first == again
    assert len(set(other)) == len(other) == kept + 5


def test_who_judges_cannot_tell_by_the_order_what_the_rules_said(own):
    with served(own) as asker:
        ids = asker.post("api/sample", kept=20, rejected=20)["ids"]
        kept = {clip["id"] for clip in asker.post("api/clips", rules=RULES, limit=200)["clips"]}
    sides = [clip in kept for clip in ids]
    assert sum(before != after for before, after in itertools.pairwise(sides)) > 8


def test_captions_are_compared_by_name_whichever_stood_first(own):
    refined, raw = {"step": "lvd2m", "kind": "refined"}, {"step": "lvd2m", "kind": "raw"}
    with served(own) as asker:
        clips = some(asker)
        for clip, shown, chosen in zip(
            clips, ([refined, raw], [raw, refined], [raw, refined], [raw, refined]), (0, 1, 0, None), strict=False
        ):
            asker.post("api/choices", clip_id=clip, shown=shown, chosen=chosen, judge="me")
        asker.post("api/choices", clip_id=clips[3], shown=[refined, raw], chosen=0, judge="me")
        told = asker.get("api/judging")["choices"]
    counts = {"first_better": 1, "second_better": 3, "neither": 0}
    assert told == [{"first": "lvd2m.raw", "second": "lvd2m.refined", "n": 4, **counts}]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("api/judgements", {"clip_id": "nobody", "keep": True, "judge": "me"}, 404, "nobody"),
        ("api/judgements", {"clip_id": "../../etc/passwd", "keep": True, "judge": "me"}, 404, "no clip"),
        ("api/judgements", {"clip_id": "CLIP", "keep": True}, 400, "who judges"),
        ("api/judgements", {"clip_id": "CLIP", "keep": True, "judge": "x" * 101}, 400, "100"),
        ("api/judgements", {"clip_id": "CLIP", "keep": "perhaps", "judge": "me"}, 400, "keep"),
        ("api/judgements", {"clip_id": "CLIP", "flags": ["x" * 50], "judge": "me"}, 400, "flags"),
        ("api/judgements", {"clip_id": "CLIP", "note": "x" * 5000, "judge": "me"}, 400, "note"),
        ("api/judgements", {"clip_id": "CLIP", "note": "half \ud800", "judge": "me"}, 400, "UTF-8"),
        ("api/judgements", {"clip": "CLIP"}, 400, "clip_id"),
        ("api/choices", {"clip_id": "CLIP", "shown": [{"step": "a", "kind": "b"}], "judge": "me"}, 400, "shown"),
        ("api/sample", {"kept": -1, "rejected": 3}, 400, "0 or more"),
        ("api/sample", {"kept": 0, "rejected": 0}, 400, "1 to"),
        ("api/sample", {"kept": 1, "rejected": 0, "rules": ["no rule"]}, 400, "no rule"),
        ("api/sample", {"kept": 1, "rejected": 0, "seed": 10**30}, 400, "seed: at most"),
        ("api/sample", {"kept": 9, "rejected": 0, "rules": ["duration_s >= 9e9"]}, 400, "keep 0 clips and reject 390"),
    ],
)
def test_what_cannot_be_taken_is_said_and_not_kept(made, asker, path, body, status, words):
    clip = Store(made).read("clips", ["id"])["id"][0].as_py()
    asked = {name: clip if value == "CLIP" else value for name, value in body.items()}
    assert words in asker.post(path, status, **asked)["error"]
    assert not any(Store(made).has(table) for table in ("judgements", "choices", "samples"))


def test_many_judgements_stay_few_files(own):
    notes = Notes(Store(own))
    for number in range(COMPACT_AFTER + 3):
        notes.add("judgements", [{"clip_id": f"c{number}", "video_id": "v", "judge": "me", "flags": []}])
    assert len(list((own / "judgements.lance" / "data").iterdir())) < 10
    assert len(notes.judgements()) == COMPACT_AFTER + 3


def test_removing_a_video_removes_what_was_said_of_it(own):
    with served(own) as asker:
        clips = asker.post("api/clips", rules=RULES, limit=200)["clips"]
        videos = sorted({clip["video_id"] for clip in clips})
        for clip in clips[:60]:
            judged(asker, clip["id"], True)
        asker.post("api/sample", kept=60, rejected=10)
        remove_videos(own, [videos[0]])
        told = asker.get("api/judging")
        left = {clip["id"] for clip in clips[:60] if clip["video_id"] != videos[0]}
        assert told["judged"] == len(left) < 60
        asker.post("api/judgements", 404, clip_id=clips[0]["id"], keep=True, judge="me")
    rows = Store(own).read("samples", ["video_id"])["video_id"].to_pylist()
    assert rows
    assert videos[0] not in rows


def test_rules_saved_on_the_page_are_the_sets_own(own):
    rules = ["duration_s >= 3", "motion.mean > 0.5"]
    with served(own) as asker:
        stamp = asker.get("api/stamp")["stamp"]
        saved = asker.post("api/save", rules=rules)
        assert asker.get("api/set")["recipe"]["rules"] == rules
        assert asker.get("api/stamp")["stamp"] == saved["stamp"] != stamp
        assert "at least one" in asker.post("api/save", 400, rules=[])["error"]
    kept = np.asarray(Store(own).read("clips", ["kept"])["kept"]).sum()
    assert saved["kept"] == kept == select_set(own).funnel[-1].clips


def test_a_judgement_is_no_change_of_the_set(own):
    with served(own) as asker:
        stamp = asker.get("api/stamp")
        judged(asker, some(asker)[0], True)
        assert asker.get("api/stamp") == stamp


def test_a_recipe_taken_along_is_one(own, tmp_path):
    with served(own) as asker:
        text = asker.post("api/recipe", rules=["duration_s >= 7"], name="../my own")
    file = Path(tmp_path, "taken.toml")
    file.write_text(text, encoding="utf-8")
    taken = load(str(file))
    assert [str(rule) for rule in taken.rules] == ["duration_s >= 7"]
    assert taken.name == "../my own"
