"""Answers as models write them: read where they can be, else told what was wrong."""

import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from longtake.ask.parse import answer_text, form_in_words, one_line, read_answer, strict_schema


class Pair(BaseModel):
    short: str
    dense: str


class Part(BaseModel):
    name: str
    weight: float = 1.0


class Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["pan", "still"] = Field(description="How the camera moves.")
    sure: float = Field(ge=0, le=1)
    parts: list[Part]
    note: str | None = None


GOOD = Pair(short="A car.", dense="A car drives.")
WRITTEN = GOOD.model_dump_json()


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("A car.", "A car."),
        ("  A car.\n", "A car."),
        ('"A car."', "A car."),
        ("“A car.”", "A car."),
        ("```\nA car.\n```", "A car."),
        ('```text\n"A car."\n```', "A car."),
        ("<think>A dog? No.</think>\n\nA car.", "A car."),
        ("A dog? No.</think>A car.", "A car."),
        ("<think>A dog? No, wait", ""),
        ('"Stop" and "Go" signs.', '"Stop" and "Go" signs.'),
        ("'It's a car'", "'It's a car'"),
        ("Use ```x``` here", "Use ```x``` here"),
        ('"', '"'),
        ("", ""),
    ],
)
def test_the_text_a_model_means(text: str, bare: str):
    assert answer_text(text) == bare


@given(st.text(st.sampled_from("a \"'`\n“”<think>/"), max_size=40))
def test_a_bare_text_stays_as_it_is(text: str):
    once = answer_text(text)
    assert answer_text(once) == once


@pytest.mark.parametrize(
    "text",
    [
        WRITTEN,
        f"Here it is:\n```json\n{WRITTEN}\n```\nI hope it helps {{really}}.",
        f"<think>Maybe {{'short': 1}} or {WRITTEN.replace('car', 'dog')}?</think>{WRITTEN}",
        f"The form {{short, dense}} filled in: {WRITTEN}",
        f'{{"short": "An example only."}} and then {WRITTEN}',
        f"[{WRITTEN}]",
        f'{{"answer": {WRITTEN}}}',
        WRITTEN[:-1] + ",\n}",
        f"{WRITTEN}{WRITTEN.replace('car', 'dog')}",
    ],
)
def test_an_object_is_found_whatever_stands_around_it(text: str):
    assert read_answer(text, Pair) == GOOD


def test_raw_line_breaks_in_strings_are_forgiven():
    assert read_answer('{"short": "a\nb\tc", "dense": "d"}', Pair) == Pair(short="a\nb\tc", dense="d")


def test_half_characters_are_replaced():
    assert read_answer('{"short": "\\ud83d", "dense": "\\ud83d\\ude00"}', Pair) == Pair(short="\ufffd", dense="😀")


def test_commas_inside_strings_are_left_alone():
    text = '{"short": "one, } two,]", "dense": "say \\",}\\"",}'
    assert read_answer(text, Pair) == Pair(short="one, } two,]", dense='say ",}"')


@given(st.text(), st.text(), st.text(st.characters(exclude_characters="{<"), max_size=20))
def test_what_is_written_is_read(short: str, dense: str, around: str):
    value = Pair(short=short, dense=dense)
    for ascii_only in (True, False):
        # A thought's end inside a caption can't be told from a thought's end.
        text = around + json.dumps(value.model_dump(), ensure_ascii=ascii_only) + around
        if "</think>" not in text and "<think>" not in text:
            assert read_answer(text, Pair) == value


@pytest.mark.parametrize(
    ("text", "schema", "words"),
    [
        ("I can't.", Pair, "no JSON object"),
        ("", Pair, "no JSON object"),
        ('{"short": "A ca', Pair, "not complete"),
        ("{'short': 'a', 'dense': 'b'}", Pair, "not valid"),
        ('{"short": "a"}', Pair, "the field 'dense' is missing"),
        ('{"short": 1, "dense": "b"}', Pair, "the field 'short' should be a valid string"),
        ("{}", Pair, "the field 'short' is missing; the field 'dense' is missing"),
        ('{"kind": "zoom", "sure": 0, "parts": []}', Verdict, "the field 'kind' should be 'pan' or 'still'"),
        ('{"kind": "pan", "sure": 2, "parts": []}', Verdict, "the field 'sure' should be less than or equal to 1"),
        ('{"kind": "pan", "sure": 1, "parts": [{}]}', Verdict, "the field 'parts.0.name' is missing"),
        ('{"kind": "pan", "sure": 1, "parts": [], "x": 1}', Verdict, "the field 'x' was not asked for"),
        ('{"a": ' + "[" * 100_000, Pair, "not complete"),
    ],
)
def test_what_is_wrong_is_told_in_words(text: str, schema: type[BaseModel], words: str):
    with pytest.raises(ValueError) as raised:
        read_answer(text, schema)
    assert words in str(raised.value)


@given(st.text(st.sampled_from('{}[]",:\\a1 \n'), max_size=60))
def test_no_text_breaks_the_reader(text: str):
    try:
        value = read_answer(text, Pair)
    except ValueError as error:
        assert str(error)
    else:
        assert isinstance(value, Pair)


def test_the_form_in_words_names_every_field():
    assert form_in_words(Verdict).splitlines() == [
        "Answer with one JSON object and nothing else. Its fields:",
        '- "kind" (one of "pan", "still"): How the camera moves.',
        '- "sure" (number)',
        '- "parts" (list, each object with "name" (text), "weight" (number))',
        '- "note" (text or null)',
    ]


def test_a_strict_schema_requires_every_field_and_allows_no_others():
    class Odd(BaseModel):
        default: int = 3
        parts: list[Part]

    schema = strict_schema(Odd)
    assert schema["required"] == ["default", "parts"]
    assert schema["properties"]["default"] == {"title": "Default", "type": "integer"}
    part = schema["$defs"]["Part"]
    assert part["required"] == ["name", "weight"]
    assert schema["additionalProperties"] is part["additionalProperties"] is False
    assert Odd.model_json_schema()["required"] == ["parts"]


@given(st.text())
def test_one_line_steers_no_terminal_and_keeps_what_can_be_read(text: str):
    line = one_line(text)
    assert line.isprintable() and line == line.strip()
    assert [c for c in line if c != " "] == [c for c in text if c.isprintable() and not c.isspace()]


def test_fences_around_fences_end():
    assert answer_text("```\n" * 100_000).startswith("```")
