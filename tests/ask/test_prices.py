"""What answers cost, and that nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.ask import ModelSettings
from longtake.ask.prices import Price, cost, price

OPENAI = "https://api.openai.com/v1"
KNOWN = "gpt-4o-mini"


def test_a_known_model_at_its_own_server_has_a_price():
    found = price(ModelSettings(url=OPENAI), KNOWN)
    assert found is not None
    assert 0 < found.cached < found.prompt < found.completion < 10


def test_prices_in_steps_begin_with_the_first():
    found = price(ModelSettings(url="https://generativelanguage.googleapis.com/v1beta/openai/"), "gemini-2.5-pro")
    assert found is not None and 0 < found.prompt < found.completion


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("http://localhost:8000/v1", KNOWN),
        ("http://localhost:8000/v1", "Qwen/Qwen3-VL-8B-Instruct"),
        ("https://models.example.org/v1", KNOWN),
        (OPENAI, "no-such-model"),
        (OPENAI, ""),
        ("local", KNOWN),
        ("", KNOWN),
    ],
)
def test_what_is_not_known_stays_unknown(url: str, model: str):
    assert price(ModelSettings(url=url), model) is None


def test_settings_go_before_the_list():
    assert price(ModelSettings(url="local", price_in=1.0, price_out=2.0), "mine") == Price(1.0, 2.0, 1.0)
    assert price(ModelSettings(url="local", price_in=0.0, price_out=0.0), "mine") == Price(0.0, 0.0, 0.0)
    listed = price(ModelSettings(url=OPENAI), KNOWN)
    assert listed is not None
    assert price(ModelSettings(url=OPENAI, price_in=9.0), KNOWN) == Price(9.0, listed.completion, 9.0)
    assert price(ModelSettings(url=OPENAI, price_out=9.0), KNOWN) == Price(listed.prompt, 9.0, listed.cached)


@pytest.mark.parametrize("half", [{"price_in": 1.0}, {"price_out": 1.0}])
def test_half_a_price_is_none(half: dict[str, float]):
    assert price(ModelSettings(url="local", **half), "mine") is None


def test_a_cost_in_dollars():
    assert cost(Price(1.0, 4.0, 0.5), 1_000_000, 500_000, 200_000) == pytest.approx(0.8 + 0.1 + 2.0)
    assert cost(Price(1.0, 4.0, 0.5), 1_000_000, 0) == pytest.approx(1.0)


def test_the_cost_of_what_was_not_counted_is_unknown():
    assert cost(None, 1, 1) is None
    assert cost(Price(1, 1, 1), None, 1) is None
    assert cost(Price(1, 1, 1), 1, None) is None


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_cached_tokens_never_make_an_answer_dearer(prompt: int, completion: int, cached: int):
    some = Price(2.0, 8.0, 0.5)
    with_cache, without = cost(some, prompt, completion, cached), cost(some, prompt, completion)
    assert with_cache is not None and without is not None
    assert 0 <= with_cache <= without * (1 + 1e-12)
