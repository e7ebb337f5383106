"""Captions on the report page, in a browser: as text whatever they hold, with their times, reasons and prices."""

import re

import pytest
from browsers import expect, soon
from pages import HOSTILE, made_up

pytestmark = pytest.mark.browser

NASTY = [HOSTILE, "\u202eesrever\u202c رجل يمشي على الرصيف", "W" * 2000, "{{x}} ${x} &lt;b&gt; %s", "\udcff\x00"]


def caption(kind, text, start_s=0.0, end_s=12.0, **more):
    about = {"step": "lvd2m", "problems": [], "model": "Some/Model-8B", "frames": 6}
    return {"kind": kind, "text": text, "start_s": start_s, "end_s": end_s, **about, **more}


def told() -> dict:
    """Say of the first clip much, one part of it set aside; of the second, which has no file, nothing."""
    data = made_up()
    data["clips"][0].update(
        line="A man walks.",
        captions=[
            caption("rewritten", "A man walks.", frames=0),
            caption("raw", "He walks slowly.", 0.0, 1.0),
            caption("raw", "Frame 7 shows a man.", 1.0, 12.0, problems=["it speaks of frames", "it is short"]),
            caption("main_object", "A man.", step="miradata"),
            caption("measured", "The camera pans.", step="measured", model=None, frames=0),
        ],
        captions_left_out=3,
    )
    plain = {"kept": [0, 2, 1], "rejected": [0, 0, 1], "edges": [0, 5, 10, 15], "mean_words": 8.25}
    aside = {"clip": "a0", "step": "lvd2m", "kind": "raw", "problems": ["it speaks of frames"], "text": "Frame 7"}
    row = {"model": "Some/Model-8B", "count": 1200, "prompt_tokens": 34567, "completion_tokens": 890}
    data["captions"] = {
        "count": 412,
        "of_other_clips": 0,
        "clips": 1,
        "kinds": [{"step": "lvd2m", "kind": "main_object", "count": 4, "set_aside": 1, **plain}],
        "set_aside": [aside, {**aside, "clip": "not-here"}],
        "set_aside_total": 120,
        "answers": [
            {**row, "cost_usd": 1.5, "unpriced": 0},
            {**row, "model": "mixed", "cost_usd": 0.00321, "unpriced": 7},
            {**row, "model": "ours", "prompt_tokens": None, "cost_usd": None, "unpriced": 1200},
        ],
        "waiting": None,
    }
    return data


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_a_card_shows_one_line_and_the_opened_clip_all_its_captions(opened):
    page = opened(told())
    cards = page.locator("#kept .card")
    assert [card.locator(".card-say").all_inner_texts() for card in cards.all()] == [["A man walks."], []]
    cards.first.click()
    groups = page.locator("dialog .told-by")
    expect(groups.locator("h4")).to_have_text(["lvd2m", "miradata", "measured"])
    assert [flat(text) for text in page.locator("dialog .kind h5").all_inner_texts()] == [
        "rewritten Some/Model-8B, from text alone",
        "raw Some/Model-8B, 6 frames",
        "main object Some/Model-8B, 6 frames",
        "measured without a model",
    ]
    aside = page.locator("dialog .saying.aside")
    assert aside.count() == 1
    assert aside.locator(".reasons").inner_text() == "set aside: it speaks of frames; it is short"
    assert "3 more captions of this clip" in page.locator("dialog .side").inner_text()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("dialog")).to_contain_text("No file was written for this clip.")
    expect(page.locator("dialog .told-by")).to_have_count(0)


def test_parts_stand_on_a_time_line_and_are_marked_while_they_play(opened):
    page = opened(told())
    page.locator("#kept .card").first.click()
    bars = page.locator("dialog .parts i")
    expect(bars).to_have_count(2)

    def begins() -> float:
        second, whole = bars.nth(1).bounding_box(), page.locator("dialog .parts").bounding_box()
        return (second["x"] - whole["x"]) / whole["width"]

    soon(begins, pytest.approx(1 / 12, abs=0.01))
    sayings = page.locator("dialog .saying")
    marked = """([node, from, to]) => {
        const t = document.querySelector('dialog video').currentTime;
        const now = document.querySelectorAll('dialog .saying.now');
        return t >= from && t < to && now.length === 1 && now[0] === node;
    }"""
    page.wait_for_function(marked, arg=[sayings.nth(1).element_handle(), 0, 1])
    page.locator("dialog .when").nth(1).click()
    page.wait_for_function(marked, arg=[sayings.nth(2).element_handle(), 1, 12])


@pytest.mark.parametrize("text", NASTY, ids=["markup", "bidi", "long", "templates", "no unicode"])
def test_a_nasty_caption_is_only_text_and_breaks_no_width(opened, text):
    data = told()
    data["clips"][0]["line"] = text
    data["clips"][0]["captions"] = [
        caption("rewritten", text, model=text, problems=[text]),
        caption("raw", text, 0.0, 6.0),
    ]
    data["captions"]["set_aside"][0].update(text=text, problems=[text])
    data["captions"]["answers"][0]["model"] = text
    page = opened(data)
    page.set_viewport_size({"width": 390, "height": 844})
    soon(lambda: page.evaluate("document.documentElement.scrollWidth") <= 390, True)
    say = page.locator("#kept .card-say")
    soon(lambda: say.bounding_box()["height"] < 80, True)
    # As a browser holds it: no lone surrogates in what it gives back.
    same = "(node) => node.textContent.replace(/\\ufffd/g, '').replace(/[\\ud800-\\udfff]/g, '')"
    wanted = text.replace("\udcff", "")
    assert say.evaluate(same) == wanted
    say.click()
    soon(lambda: page.locator("dialog .words").first.evaluate(same), wanted)
    assert page.locator("img[src='x'], img[onerror], dialog b b").count() == 0
    soon(lambda: page.evaluate("document.querySelector('dialog').scrollWidth") <= 390, True)


def test_the_section_counts_words_answers_and_what_was_set_aside(opened):
    page = opened(told())
    section = page.locator("#captions")
    assert flat(section.locator(".lead").inner_text()) == (
        "412 captions; 1 of 2 kept clips has one that can be used. "
        "120 set aside: kept with the reasons, and used for nothing."
    )
    assert flat(section.locator("figure").inner_text()).startswith("lvd2m main object 4 captions, 8.3 words on average")
    section.scroll_into_view_if_needed()
    expect(section.locator(".bar-kept")).to_have_count(2)
    heights = [float(bar.get_attribute("height")) for bar in section.locator(".bar-kept").all()]
    assert heights[0] == pytest.approx(2 * heights[1])
    rows = section.locator(".sums tbody tr").all_inner_texts()
    assert [re.sub(r"[\u202f\s]+", " ", row).strip() for row in rows] == [
        "Some/Model-8B 1 200 34 567 890 $1.50",
        "mixed 1 200 34 567 890 $0.0032, price unknown for 7",
        "ours 1 200 unknown 890 price unknown",
    ]
    assert "The first 2 of 120." in section.inner_text()


def test_a_caption_set_aside_leads_to_its_clip_where_it_is_on_the_page(opened):
    page = opened(told())
    rows = page.locator("#captions .rows:not(.sums) tbody tr")
    assert rows.nth(1).locator("button").count() == 0
    assert "not-here" in rows.nth(1).inner_text()
    rows.nth(0).locator("button").click()
    expect(page.locator("dialog[open]")).to_contain_text("Frame 7 shows a man.")


def test_a_failure_leads_to_its_clip(opened):
    data = told()
    data["failures"].append({"item": "a0", "step": "captions.lvd2m", "kind": "no_answer", "message": "503"})
    page = opened(data)
    page.locator("#failures").get_by_role("button", name="a0").click()
    expect(page.locator("dialog[open]")).to_have_count(1)


def test_a_set_without_captions_has_no_such_section(opened):
    page = opened()
    assert page.locator("#captions, nav a[href='#captions'], .card-say").count() == 0


def test_captioners_that_wait_are_named_with_the_command(opened):
    data = made_up()
    data["captions"]["waiting"] = {"steps": ["lvd2m", "miradata"], "command": "longtake caption my-set --url URL"}
    page = opened(data)
    text = flat(page.locator("#captions").inner_text())
    assert "No kept clip has a caption yet." in text
    assert "lvd2m, miradata wait for a model; type: longtake caption my-set --url URL" in text


def test_the_funnel_says_of_how_many_clips_no_model_was_asked(opened):
    data = made_up()
    data["funnel"][2]["not_asked"] = 4
    page = opened(data)
    assert page.locator(".funnel .note").all_inner_texts() == ["7 not measured, 4 not asked"]
    assert "takes nothing from clips that no model was asked about" in page.locator("#funnel .lead").inner_text()


@pytest.mark.parametrize("width", [360, 1280, 3840])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_width_or_theme_breaks_captions(opened, width, theme):
    page = opened(told())
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    soon(lambda: page.evaluate("document.documentElement.scrollWidth") <= width, True)
    page.locator("#kept .card").first.click()
    expect(page.locator("dialog[open]")).to_have_count(1)
    soon(lambda: page.evaluate("document.querySelector('dialog').scrollWidth") <= width, True)
    for slip in ("undefined", "NaN", "[object", ">null<"):
        assert slip not in page.locator("#captions").inner_html() + page.locator("dialog").inner_html()
