"""What goes wrong at one place stays there: a step's fault, a server's hostile words, a full disk, a torn file."""

import errno
import json
from collections import Counter
from pathlib import Path

import pytest
from faultserver import FAULTS, FaultServer, Reply, error
from storyteller import tell
from told import FILMS, RECIPE, captions, model

from longtake import run
from longtake.caption_set import caption_set
from longtake.captioning import phase
from longtake.captioning.answers import Answers
from longtake.captioning.asker import AHEAD
from longtake.captioning.results import Results
from longtake.errors import SetError, UsageError
from longtake.show.results import captions as show
from longtake.store import Store

SECOND = ["captions.second.step='lvd2m'", "captions.second.segment_s=6", "captions.second.rewrite=false"]
OWN = '''
"""Captioners of a user, each with a way of its own to go wrong."""

from pydantic import BaseModel

from longtake.captions import Ask, Look, Question, View
from longtake.records import Caption

VERSION = 1
SIGNALS = ()


class Count(BaseModel):
    people: int


def plain(view: View) -> list[Caption]:
    """A caption without a model."""
    return [Caption("short", 0, 0.0, view.duration_s, "It lasts a while.")]


def texts(view: View) -> list[str]:
    """What can't be stored."""
    return ["It lasts a while."]


async def counting(view: View, ask: Ask) -> list[Caption]:
    """A number that made-up answers lack."""
    [answer] = await ask(Question("count", "How many?", look=Look((0.5,)), schema=Count))
    return [Caption("short", 0, 0.0, view.duration_s, f"{answer.value.people + 1} of them.")]


async def again(view: View, ask: Ask) -> list[Caption]:
    """The same question three times, and then a look at another frame."""
    first = Question("first", "What is it?", look=Look((0.5,)))
    one, two = await ask(first, first)
    [three] = await ask(first)
    [last] = await ask(Question("last", "And now?", look=Look((1.5,))))
    assert one.key == two.key == three.key != last.key
    return [Caption("short", 0, 0.0, view.duration_s, last.text)]
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of captioners."""
    name = f"own_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def steps_of(folder: Path) -> dict[str, int]:
    return dict(Counter(row["step"] for row in captions(folder) if not row["problems"]))


@pytest.mark.parametrize("action", ["400", "401"])
def test_what_befalls_one_captioner_is_no_others(made: Path, own: str, action: str) -> None:
    with FaultServer([action]) as server:
        done = caption_set(made, steps=[f"{own}:plain"], settings=model(server))
    assert steps_of(made) == {"plain": FILMS}
    failures = Store(made).read("failures").to_pylist()
    if action == "401":  # nobody is to blame but the key
        assert done.asked.stopped and failures == []
    else:
        assert {row["step"] for row in failures} == {"captions.lvd2m"} and len(failures) == FILMS == done.asked.failed
    with FaultServer([tell]) as server:
        caption_set(made, settings=model(server), retry_failed=["all"])
        assert len(server.requests) == FILMS * 4
    assert steps_of(made) == {"plain": FILMS, "lvd2m": FILMS * 4} and Store(made).read("failures").num_rows == 0


def test_a_captioner_that_returns_something_else_is_a_failure(made: Path, own: str) -> None:
    with FaultServer([tell]) as server:
        caption_set(made, steps=[f"{own}:texts"], settings=model(server))
    failures = Store(made).read("failures").to_pylist()
    assert {(row["step"], row["kind"]) for row in failures} == {("captions.texts", "error")} and len(failures) == FILMS
    assert "list of captions" in failures[0]["message"] and steps_of(made) == {"lvd2m": FILMS * 4}


def test_an_estimate_bears_a_captioner_that_can_t_do_with_made_up_answers(made: Path, own: str) -> None:
    with FaultServer([tell]) as server:
        found = caption_set(made, steps=[f"{own}:counting"], settings=model(server), dry_run=True).estimate
    assert found.calls == FILMS * 5


def test_a_question_is_asked_once_however_often_it_comes(made: Path, own: str) -> None:
    with FaultServer([tell]) as server:
        caption_set(made, steps=[f"{own}:again"], settings=model(server, concurrency=16))
        assert len(server.requests) == FILMS * 4 + FILMS * 2
    assert steps_of(made) == {"again": FILMS, "lvd2m": FILMS * 4}


def test_two_labels_of_one_captioner_share_its_answers(made: Path) -> None:
    with FaultServer([tell]) as server:
        done = caption_set(made, settings=[*model(server), *SECOND])
        assert len(server.requests) == FILMS * 4 == done.asked.spent.answers
    assert steps_of(made) == {"lvd2m": FILMS * 4, "second": FILMS * 3}


def test_a_dry_run_drops_no_answer_that_is_to_be_asked_for_anew(made: Path) -> None:
    with FaultServer(["refusal"]) as server:
        caption_set(made, settings=model(server))
    before = Store(made).read("answers").sort_by("key")
    found = caption_set(made, retry_failed=["quarantined"], dry_run=True).estimate
    assert found.calls == FILMS * 4 and found.answered == 0
    assert Store(made).read("answers").sort_by("key") == before and before.num_rows > 0


def test_asking_anew_loses_no_answer_and_pays_none_twice(made: Path) -> None:
    with FaultServer(["refusal"]) as server:
        caption_set(made, settings=model(server))
    rows, answers = captions(made), Store(made).read("answers").sort_by("key")
    for script, most in ((["401"], 0), ([tell, tell, tell, "401"], 3)):
        with FaultServer(script) as server:
            done = caption_set(made, settings=model(server, concurrency=1), retry_failed=["quarantined"])
        assert done.asked.stopped and done.asked.spent.answers == most and captions(made) == rows
    assert Store(made).read("answers").num_rows == answers.num_rows + 3
    with FaultServer([tell]) as server:
        caption_set(made, settings=model(server), retry_failed=["quarantined"])
        caption_set(made, retry_failed=["quarantined"])
        assert len(server.requests) == FILMS * 4 - 3
    assert steps_of(made) == {"lvd2m": FILMS * 4}
    now = {row["key"]: row for row in Store(made).read("answers").to_pylist()}
    assert all(now[row["key"]] == row for row in answers.to_pylist())


def test_empty_answers_are_counted_and_asked_for_once_more(made: Path) -> None:
    with FaultServer(["empty"]) as server:
        done = caption_set(made, settings=model(server, price_in=10.0, price_out=10.0))
        assert len(server.requests) == done.asked.spent.answers == FILMS * 2 * 2
    assert done.asked.spent.cost_usd > 0 and done.asked.quarantined == FILMS * 2 and done.asked.failed == 0


def test_the_same_command_asks_again_where_a_server_failed_and_says_so(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaultServer(lambda number, _: "400" if number == 0 else "500") as server:
        show(caption_set(made, settings=model(server, tries=1)))
        assert len(server.requests) == FILMS * 2
    said = capsys.readouterr().out
    assert f"{FILMS} clips failed" in said and "same command tries again: no_answer." in said
    assert "the same command with --retry-failed rejected" in said
    with FaultServer([tell]) as server:
        done = caption_set(made, settings=model(server))
    show(done)
    assert steps_of(made) == {"lvd2m": (FILMS - 1) * 4} and not done.asked.failed
    assert "1 clip failed before (1 rejected), not tried again" in capsys.readouterr().out


@pytest.mark.parametrize(("budget_usd", "most"), [(0.0, 0), (0.0011, 0), (0.0024, 2), (0.0241, 20)])
def test_no_budget_is_exceeded_however_many_are_asked_at_once(made: Path, budget_usd: float, most: int) -> None:
    # An answer: 20 tokens, $0.0012, which is as long as it may be.
    priced = {"price_in": 0.0, "price_out": 60.0, "max_tokens": 20, "concurrency": 16}
    with FaultServer([tell], latency=0.05) as server:
        done = caption_set(made, settings=model(server, **priced), budget_usd=budget_usd)
        assert len(server.requests) == most == done.asked.spent.answers
    assert done.asked.spent.cost_usd <= budget_usd + 1e-9
    assert bool(done.asked.stopped) == (most < FILMS * 4)


def test_a_budget_needs_prices_and_tokens(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = json.dumps({"choices": [{"message": {"content": "A car."}}]}).encode()
    monkeypatch.setitem(FAULTS, "bare", lambda _: Reply(200, bare))
    with FaultServer(["bare"]) as server:
        with pytest.raises(UsageError, match="or name the model"):
            caption_set(made, settings=model(server, model="'auto'"), budget_usd=1)
        priced = model(server, price_in=1.0, price_out=1.0)
        with pytest.raises(UsageError, match="--budget is for"):
            caption_set(made, settings=priced, budget_usd=1, requests_to=tmp_path / "requests")
        stopped = caption_set(made, settings=[*priced, "models.default.concurrency=1"], budget_usd=1).asked.stopped
    assert "doesn't say how many tokens" in stopped


def test_what_can_t_be_kept_is_not_asked_for(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the answers under way are lost, and no more are bought."""

    def full(self: Answers, row: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Answers, "add", full)
    with FaultServer([tell], latency=0.05) as server:
        done = caption_set(made, settings=model(server, concurrency=1))
        assert len(server.requests) <= AHEAD
    assert "No space left" in done.asked.stopped and Store(made).read("failures").num_rows == 0


def test_captions_that_can_t_be_stored_end_the_asking(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Results) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, FaultServer([tell], latency=0.2) as server:
        patch.setattr(Results, "commit_if_due", full)
        with pytest.raises(SetError, match=r"the disk is full.*the same command goes on"):
            caption_set(made, settings=model(server, concurrency=1))
        assert len(server.requests) < FILMS * 4
    with FaultServer([tell]) as server:
        caption_set(made, settings=model(server))
    assert steps_of(made) == {"lvd2m": FILMS * 4}


def test_a_servers_words_steer_no_terminal(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "bad \x1b[2J\x1b]0;title\x07 key \x9b31m \u202e\nend"
    monkeypatch.setitem(FAULTS, "steering", lambda _: Reply(401, error(words)))
    with FaultServer(["steering"]) as server:
        stopped = caption_set(made, settings=model(server)).asked.stopped
    assert stopped.isprintable() and "(bad [2J ]0;title key 31m end)" in stopped


def test_all_rounds_of_a_batch_can_come_at_once(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with FaultServer([tell]) as server:
        settings = model(server)
        caption_set(made, settings=settings, requests_to=tmp_path / "none")
        copy.mkdir()
        for path in made.rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                (copy / path.relative_to(made)).parent.mkdir(parents=True, exist_ok=True)
                (copy / path.relative_to(made)).write_bytes(path.read_bytes())
        caption_set(made, settings=settings)
    rows = Store(made).read("answers").to_pylist()
    results = tmp_path / "results.jsonl"
    bodies = [{"choices": [{"finish_reason": "stop", "message": {"content": row["text"]}}]} for row in rows]
    lines = [
        {"custom_id": f"{row['key']}-00", "response": {"status_code": 200, "body": body}}
        for row, body in zip(rows, bodies, strict=True)
    ]
    results.write_text("\n".join(map(json.dumps, lines)))
    read = caption_set(copy, results_from=[results], dry_run=True).imported
    assert (read.answers, read.strange) == (FILMS * 4, 0)


def test_what_a_user_gives_wrong_is_told(made: Path, own: str, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(128, 256)))
    with FaultServer([tell]) as server:
        caption_set(made, settings=model(server), dry_run=True)
        with pytest.raises(UsageError, match="is no text"):
            caption_set(made, settings=model(server), results_from=[tmp_path / "noise"])
        with pytest.raises(UsageError, match="batch files hold"):
            caption_set(made, settings=model(server), retry_failed=["all"], requests_to=tmp_path / "requests")
        with pytest.raises(UsageError, match="File exists; name a new folder"):
            caption_set(made, settings=model(server), requests_to=tmp_path / "noise")
        with pytest.raises(UsageError, match="OTHER_LABEL"):
            caption_set(made, settings=model(server), steps=[f"{own}:lvd2m"])
    Store(made).delete("signals", "label", ["colour"])
    with pytest.raises(
        UsageError, match=r"longtake run .*recipe.toml VIDEOS --to .* -s captions.measured.step=measured"
    ):
        caption_set(made, steps=["measured"])
    (made / "recipe.toml").write_text("captions = 3")
    with pytest.raises(UsageError, match="holds one table"):
        caption_set(made, steps=["measured"])
    (made / "recipe.toml").write_text("captions = [")
    with pytest.raises(SetError, match="can't be read"):
        caption_set(made)


def test_progress_is_told_while_models_answer(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pictures are there at once here; the answers take their time."""
    monkeypatch.setattr(phase, "TICK_S", 0.05)
    seen = []
    with FaultServer([tell], latency=0.2) as server:
        caption_set(made, settings=model(server, concurrency=1), watch=seen.append)
    told = [news.words for news in seen[1:]]
    assert len(set(told)) > FILMS and told[-1] == f"{FILMS * 4} answers"
    assert sum(news.done == news.total for news in seen[1:]) == 1


JUDGED = RECIPE.replace("[captions.lvd2m]\nsegment_s = 6", "[judges.one]\nstep = 'lvd2m'\n[judges.two]\nstep = 'lvd2m'")


def test_judges_score_a_clip_together_or_not_at_all(films: Path, tmp_path: Path) -> None:
    """One failed, and then the other is asked otherwise: its scores alone must not stand for both."""
    (tmp_path / "judged.toml").write_text(JUDGED)
    files = "files.preset='ultrafast'"
    with FaultServer(["400"]) as server:
        failed = run(str(tmp_path / "judged.toml"), [films], tmp_path / "set", settings=[*model(server), files])
    assert failed.written.written == FILMS and failed.failed >= FILMS, "a file that was written undoes no failure"
    with FaultServer([tell]) as server:
        settings = [*model(server), "judges.two.frames=4"]
        run(str(tmp_path / "judged.toml"), [films], tmp_path / "set", settings=settings)
    rows = Store(tmp_path / "set").read("clips", ["one.varied", "two.varied", "judge_key"]).to_pylist()
    assert [(row["one.varied"], row["two.varied"]) for row in rows] == [(1.0, 1.0)] * FILMS
    assert Store(tmp_path / "set").read("failures").num_rows == 0
