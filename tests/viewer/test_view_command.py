"""`longtake view`: it opens, shows what a run beside makes, and ends cleanly."""

import signal
import threading

import lance
import numpy as np
import pytest
from looking import PATIENCE_S, served, viewing

from longtake.report.histograms import Threshold, histogram
from longtake.running import run
from longtake.store import ChangedError, Snapshot, Store, score_columns
from longtake.viewer.bars import Bars
from longtake.viewer.columns import Clips, Recent

RULES = ["duration_s >= 10", "content.max < 0.9", "motion.mean >= 0.077"]


def test_ctrl_c_ends_it_without_a_word(made):
    with viewing(made) as (process, asker):
        asker.get("api/set")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert (out, err) == ("", "")


def test_a_real_set_answers_everything(tmp_path, media):
    """From one video: what a run made is there, and the plots know how its camera moves."""
    folder = tmp_path / "set"
    settings = ["select.keep=['duration_s >= 1']", "files.preset='ultrafast'"]
    run("lvd2m", [media["slow_pan"], media["cut"]], folder, settings=settings, workers=1)
    with served(folder) as asker:
        about = asker.get("api/set")
        page = asker.post("api/clips", rules=about["recipe"]["rules"])
        plots = asker.get("api/plots")
        histograms = asker.post(
            "api/histograms", rules=about["recipe"]["rules"], keys=[score["key"] for score in about["scores"]]
        )
    assert about["totals"]["videos"] == 2
    assert about["totals"]["kept"] == page["total"] == len(page["clips"]) >= 2
    assert about["totals"]["file_bytes"] > 1000
    assert about["has"] == {
        "search": True,
        "like": False,
        "spans": False,
        "listed": False,
        "copies": False,
        "other": False,
    }
    meanings = {score["key"]: score["about"] for score in about["scores"]}
    assert "speed" in meanings["motion.mean"]
    assert meanings["duration_s"] == "length of the clip"
    for clip in page["clips"]:
        assert clip["file"]
        assert clip["line"].startswith("The camera")
        assert clip["sheet"]["count"] >= 1
    moves = {one["kind"]: one["share"] for one in plots["moves"]["kinds"]}
    assert sum(moves.values()) == pytest.approx(1.0)
    assert max(moves, key=moves.get) in ("pan right", "pan left")
    words = {word["word"] for cloud in plots["clouds"] for word in cloud["words"]}
    assert "camera" in words
    assert "the" not in words
    assert sum(plots["durations"]["kept"]) == page["total"]
    # The judges were not asked: there is nothing to draw of their scores, and that is no error.
    assert {one["key"] for one in histograms} >= {"duration_s", "motion.mean"}


def test_bars_are_those_of_the_report(made, asker):
    values = score_columns(Store(made).read("clips"))
    for rules in (RULES, ["motion.mean >= 2.5", "look.luma < 0.5"], []):
        found = asker.post("api/histograms", rules=rules, keys=["motion.mean", "look.luma", "duration_s"])
        clips = asker.post("api/clips", rules=rules, show="all", limit=200)["clips"]
        clips += asker.post("api/clips", rules=rules, show="all", limit=200, offset=200)["clips"]
        kept_ids = {clip["id"] for clip in clips if clip["kept"]}
        kept = np.array([name in kept_ids for name in Store(made).read("clips", ["id"])["id"].to_pylist()])
        for one in found:
            score = [rule.split() for rule in rules if rule.startswith(one["key"])]
            lines = [Threshold(" ".join(rule), float(rule[2]), rule[1]) for rule in score]
            expected = histogram(
                one["key"], values[one["key"]], kept, unit=one["unit"], about=one["about"], bins=40, thresholds=lines
            )
            assert one == expected


def test_a_histogram_of_a_score_that_is_none_names_the_nearest(asker):
    assert "'look.luma'" in asker.post("api/histograms", 400, rules=[], keys=["look.lima"])["error"]
    assert "bins" in asker.post("api/histograms", 400, rules=[], keys=["look.luma"], bins=0)["error"]


def test_bars_follow_a_new_version(own):
    """The same key is drawn anew once the table has changed."""
    bars = Bars()
    store = Store(own)
    everything = np.ones(120, bool)
    before = bars.draw(Clips(store), "duration_s", everything, [], 10)
    gone = store.read("clips", ["id"])["id"].to_pylist()[:20]
    store.delete("clips", "id", gone)
    after = bars.draw(Clips(store), "duration_s", everything[:100], [], 10)
    assert sum(before["kept"]) == 120
    assert sum(after["kept"]) == 100


def test_what_a_run_adds_is_there_at_the_next_answer(own):
    store = Store(own)
    with served(own) as asker:
        stamp = asker.get("api/stamp")
        before = asker.post("api/clips", rules=[], sort="look.luma")["total"]
        store.delete("clips", "id", store.read("clips", ["id"])["id"].to_pylist()[:7])
        assert asker.post("api/clips", rules=[], sort="look.luma")["total"] == before - 7
        assert asker.get("api/stamp") != stamp


def test_answers_stay_whole_while_a_run_writes_and_cleans_up(own):
    """Each answer is of one version of the table: kept and rejected always add up, whatever goes on beside."""
    store = Store(own)
    ids = store.read("clips", ["id"])["id"].to_pylist()
    stop = threading.Event()
    failed = []

    def write() -> None:
        try:
            for name in ids[:100]:
                if stop.is_set():
                    return
                store.delete("clips", "id", [name])
                store.purge()
        except Exception as error:
            failed.append(error)

    with served(own) as asker:
        writer = threading.Thread(target=write)
        writer.start()
        totals = []
        while writer.is_alive() and len(set(totals)) < 4:
            answer = asker.client.post(
                "api/clips", json={"rules": RULES, "show": "all", "sort": "look.luma", "limit": 200}
            )
            if answer.status_code == 200:
                page = answer.json()
                assert page["total"] == len(page["clips"]) == len({clip["id"] for clip in page["clips"]})
                totals.append(page["total"])
            else:  # cleaned up under it again and again
                assert (answer.status_code, "ask again" in answer.json()["error"]) == (503, True)
        stop.set()
        writer.join()
    assert failed == []
    assert totals == sorted(totals, reverse=True)
    assert len(set(totals)) > 1, "something was written meanwhile"


def test_a_snapshot_stays_what_it_was_or_says_that_it_is_gone(own):
    store = Store(own)
    before = store.read("clips", ["id", "duration_s"])
    snapshot = Snapshot(store, "clips")
    store.delete("clips", "id", before["id"].to_pylist()[:10])
    assert snapshot.read(["id", "duration_s"]).equals(before)
    assert snapshot.take([3, 1], ["id"])["id"].to_pylist() == [before["id"][3].as_py(), before["id"][1].as_py()]
    store.purge()
    with pytest.raises(ChangedError, match="ask again"):
        snapshot.read(["look.luma"])
    assert Snapshot(store, "clips").rows == 110


def test_a_snapshot_of_an_older_or_missing_table_has_nulls(own):
    store = Store(own)
    nothing = Snapshot(store, "spans")
    assert (nothing.version, nothing.rows) == (0, 0)
    assert nothing.read(["text", "start_s"]).num_rows == 0
    path = str(store.table_path("clips"))
    lance.dataset(path).drop_columns(["judge_key"])
    read = Snapshot(store, "clips").read(["judge_key", "id"])
    assert read["judge_key"].null_count == read.num_rows == 120


def test_what_two_ask_for_is_made_once():
    recent, made = Recent(2), []

    def make() -> str:
        made.append(1)
        return "it"

    threads = [threading.Thread(target=lambda: recent.get("name", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    recent.get("a", str)
    recent.get("b", str)
    recent.get("name", make)
    assert len(made) == 2, "of three, the one that was asked for longest ago is not kept"
