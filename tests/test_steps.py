"""Steps are found by their file names, and their parameters are checked before any work."""

import importlib
import inspect
import json
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import longtake
from longtake.errors import UsageError
from longtake.recipe import load, resolve
from longtake.records import Range, Series
from longtake.steps import KINDS, check_parameters, find, fingerprint, missing, names

ALL = [(kind, name) for kind in KINDS for name in names(kind)]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_step_explains_itself(kind: str, name: str) -> None:
    step = find(kind, name)
    assert step.version >= 1
    assert step.doc.splitlines()[0].strip()
    if kind in ("shots", "scores", "grounding") and not step.listed:
        assert step.signal in names("signals")
    else:
        assert step.signal is None or (kind in ("voters", "clips") and step.signal in names("signals"))
    if kind == "signals":
        assert step.columns or step.embed_texts  # whose columns are as many as its model has
        assert not [column for column in step.columns if not step.meaning(column)]


def test_every_score_says_what_it_means() -> None:
    for name in names("scores"):
        step = find("scores", name)
        if step.listed:  # whose scores are those of a list
            continue
        signal = find("signals", step.signal)
        nothing = Series(signal.columns, np.empty(0), np.empty(0, np.int32), np.empty((0, len(signal.columns))))
        of_signal = [signal.defaults] if "signal" in step.wants else []
        for part, value in step.call(nothing, *of_signal).items():
            assert step.meaning(part)
            assert value is None, "nothing measured is None"


def test_there_are_steps_of_every_kind() -> None:
    assert {kind for kind, _ in ALL} == set(KINDS)


def test_a_wrong_name_gets_the_right_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'motion'"):
        find("scores", "moton")


def test_a_wrong_parameter_gets_the_right_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'trim_s'"):
        check_parameters(find("clips", "takes"), {"trim": 0.2})


@pytest.mark.parametrize("value", ["much", True, None, [1]])
def test_a_wrong_type_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="should be of type float"):
        check_parameters(find("clips", "takes"), {"trim_s": value})


def test_a_whole_number_serves_as_float_and_nothing_as_none() -> None:
    assert check_parameters(find("clips", "takes"), {"trim_s": 1})["trim_s"] == 1
    assert check_parameters(find("signals", "content"), {"hz": None})["hz"] is None


def test_somebody_elses_step_is_found_by_its_full_name(tmp_path, monkeypatch) -> None:
    package = tmp_path / "my_steps.py"
    package.write_text(
        "SIGNAL = 'motion'\nVERSION = 3\n"
        "def calm(series, *, below: float = 0.1):\n    'Share of calm.'\n    return {'share': 1.0}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    step = find("scores", "my_steps:calm")
    assert (step.version, step.signal, step.defaults) == (3, "motion", {"below": 0.1})
    with pytest.raises(UsageError, match="can't be loaded"):
        find("scores", "my_steps:clam")


CALM = """
SIGNAL = 'motion'
def calm(series, *, below: float = 0.1):
    'Share of calm.'
    return {body}
"""


@pytest.fixture
def own_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing behind of the places in which steps were looked for."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.mark.usefixtures("own_places")
def test_ones_own_step_is_found_beside_the_recipe_and_in_the_working_folder(tmp_path, monkeypatch) -> None:
    for place in ("beside", "working", "elsewhere"):
        (tmp_path / place).mkdir()
        (tmp_path / place / f"own_{place}.py").write_text(CALM.format(body="{'share': None}"))
        (tmp_path / "beside" / f"{place}.toml").write_text(f"[scores.calm]\nstep = 'own_{place}:calm'\n")
    monkeypatch.chdir(tmp_path / "working")
    for place in ("beside", "working"):
        assert load(str(Path("..") / "beside" / f"{place}.toml")).scores["calm"].step.signal == "motion"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"there is no own_elsewhere.py in .*, beside the recipe's file, or"):
        load("beside/elsewhere.toml")


@pytest.mark.usefixtures("own_places")
def test_workers_find_ones_own_step(tmp_path, media) -> None:
    (tmp_path / "own_worked.py").write_text(CALM.format(body="{'share': 0.5 if len(series) else None}"))
    (tmp_path / "mine.toml").write_text("[scores.calm]\nstep = 'own_worked:calm'\n")
    made = longtake.run(str(tmp_path / "mine.toml"), str(media["still"]), tmp_path / "set", workers=1)
    assert not made.failures
    assert longtake.open_set(tmp_path / "set").clips(columns=["calm.share"])["calm.share"].to_pylist() == [0.5]


@pytest.mark.usefixtures("own_places")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CALM.format(body="{'share': 1 / len(series)}"), r"own_wrong.py, line 5: ZeroDivisionError: division by zero"),
        (CALM.format(body="1.0"), r"returned 1.0: a score returns named numbers"),
        (CALM.format(body="{'a.b': 1.0}"), r"a score's name is letters, digits and _, not 'a.b'"),
        ("VERSION = 1\nNO = 3 / 0\n", r"own_wrong.py, line 2: ZeroDivisionError"),
        ("def calm(series:\n", r"own_wrong.py, line 1: "),
        ("import no_such_thing_at_all\n", r"No module named 'no_such_thing_at_all'"),
        ("VERSION = 1\ncalmer = len\n", r"no function 'calm'; did you mean 'calmer'"),
    ],
)
def test_what_is_wrong_with_ones_own_step_is_said_in_a_line(tmp_path, monkeypatch, text, says) -> None:
    monkeypatch.delitem(sys.modules, "own_wrong", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    (tmp_path / "own_wrong.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=says) as caught:
        resolve({"scores": {"calm": {"step": "own_wrong:calm"}}})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "name"), [pair for pair in ALL if pair[0] in ("signals", "shots", "voters", "clips")])
def test_every_number_of_a_step_has_its_range(kind: str, name: str) -> None:
    step = find(kind, name)
    call = step.call.__init__ if inspect.isclass(step.call) else step.call
    hints = typing.get_type_hints(call, include_extras=True)
    for parameter, default in step.defaults.items():
        if type(default) in (int, float) and not step.asks:  # those that ask say it when they are tried
            assert any(isinstance(more, Range) for more in typing.get_args(hints[parameter])), parameter
            check_parameters(step, {parameter: default})
            for wrong in (float("nan"), float("inf"), float("-inf")):
                with pytest.raises(UsageError, match="should be"):
                    check_parameters(step, {parameter: wrong})


def test_a_step_that_lacks_a_package_says_how_to_install_it(tmp_path, monkeypatch) -> None:
    needs = {"no_such_module": "no-such-package>=2", "json": "json", "nor_this": "nor-this"}
    (tmp_path / "my_needy.py").write_text(
        f"SIGNAL = 'motion'\nNEEDS = {needs}\ndef calm(series):\n    'Share of calm.'\n    return {{}}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    step = find("scores", "my_needy:calm")
    assert missing(step) == ["no-such-package>=2", "nor-this"]
    with pytest.raises(UsageError, match=r"type: pip install 'no-such-package>=2' nor-this$"):
        resolve({"scores": {"calm": {"step": "my_needy:calm"}}})
    assert missing(find("scores", "motion")) == []


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN, PLAIN)
def test_a_fingerprint_tells_data_apart(a: object, b: object) -> None:
    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert (fingerprint(a) == fingerprint(b)) is same


def test_a_fingerprint_is_the_same_in_another_process() -> None:
    code = "from longtake.steps import fingerprint; print(fingerprint({'b': [1, 2.5], 'a': 'ü'}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert other == fingerprint({"a": "ü", "b": [1, 2.5]})


def test_listing_names_imports_no_step() -> None:
    code = "import sys; from longtake.steps import names; names('signals'); print('cv2' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert told == "False"
