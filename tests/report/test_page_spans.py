"""Spans and joined clips on the report page, in a browser: drawn where their times say, as text whatever they hold."""

import re

import pytest
from browsers import expect, soon
from pages import HOSTILE, made_up

pytestmark = pytest.mark.browser

NASTY = [HOSTILE, "\u202eesrever\u202c رجل يمشي على الرصيف", "W" * 400, "{{x}} ${x} &lt;b&gt; %s", "\udcff\x00"]


def span(text, positive, negative, **more):
    about = {"clip_id": "a0", "step": "lvd2m", "kind": "raw", "places": ["middle"], "said": positive}
    why = {"edges": ["a scene before looks alike", "the video ends"], "rejected_by": None, "score": 0.31, "rival": 0.25}
    return {
        "text": text,
        "positive": positive,
        "negative": negative,
        "similar": [],
        "similar_left_out": 0,
        **about,
        **why,
        **more,
    }


def placed() -> dict:
    """Place three captions in the first video, whose scenes are [0.5, 12.5), [13, 17) and [18, 30): one is rejected."""
    data = made_up()
    data["noun"] = "scene"
    bars = {"edges": [1, 2, 4, 8], "kept": [0, 2, 1], "rejected": [1, 0, 0], "thresholds": [], "log": True}
    rejected = {"rejected_by": "no context", "score": None, "rival": None}
    data["spans"] = {
        "command": "longtake ground my-set",
        "count": 1412,
        "good": 1200,
        "videos": 2,
        "scored": 1412,
        "rejected": [["no context", 200], ["positive too long", 12]],
        "reasons": 2,
        "histograms": [{"key": "negative over positive", "unit": "", "about": "how many times as long", **bars}],
        "films": [
            {
                "video": 0,
                "spans": [
                    span("Too short.", [13.0, 17.0], [13.0, 17.0], clip_id="a1", **rejected),
                    span("A man walks.", [3.0, 12.0], [0.0, 18.0], said=[6.0, 9.0], similar=[[18.0, 24.0, 0.914]]),
                    span("A dog runs.", [18.0, 24.0], [15.0, 30.0], clip_id="not-here"),
                ],
            },
            {"video": 1, "spans": [span("He waves.", [0.0, 30.0], [0.0, 30.0])]},
        ],
    }
    return data


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def part(page, name: str, film: int = 0) -> list[float]:
    """Return where a part of the lane under a video begins and ends, as parts of the whole."""
    lane = page.locator(".placing").nth(film).locator(".lane")
    whole, box = lane.bounding_box(), lane.locator(name).bounding_box()
    return [(box["x"] + of * box["width"] - whole["x"]) / whole["width"] for of in (0, 1)]


def at(*seconds: float):
    return pytest.approx([second / 30 for second in seconds], abs=0.003)


def test_the_section_counts_and_gives_reasons(opened):
    page = opened(placed())
    assert flat(page.locator("nav a[href='#spans']").inner_text()) == "Spans1 200"
    section = page.locator("#spans")
    assert flat(section.locator(".lead").inner_text()).startswith(
        "1 200 of 1 412 captions have their place in 2 videos:"
    )
    rows = section.locator(".rows tbody tr").all_inner_texts()
    assert [flat(row) for row in rows] == ["no context 200", "positive too long 12"]
    assert "A sample: 4 of 1 412 captions." in flat(section.inner_text())
    assert "captions placed 1 200 of 1 412" in flat(page.locator(".facts").inner_text())


def test_a_caption_with_hard_negatives_is_drawn_at_first_where_its_times_say(opened):
    page = opened(placed())
    assert part(page, ".positive") == at(3, 12)
    assert part(page, ".negative") == at(0, 18)
    assert part(page, ".alike") == at(18, 24)
    film = page.locator(".placing").first
    assert film.locator(".over .veil").count() == 1
    scenes = [rect.get_attribute("width") for rect in film.locator(".scenes rect").all()]
    assert [float(width.rstrip("%")) for width in scenes] == pytest.approx([40, 400 / 30, 40])
    assert flat(film.locator(".edges").inner_text()) == (
        "0:00.0 a scene before looks alike positive 9.0 s in 18.0 s, grown from 0:06.0 – 0:09.0 0:18.0 the video ends"
    )
    captions = [flat(text) for text in film.locator(".placed").all_inner_texts()]
    assert captions[1] == (
        "0:03.0 – 0:12.0 lvd2m raw A man walks. score 0.31, best other 0.25 1 scene looks alike places: middle"
    )


def test_hovering_or_reaching_a_caption_shows_its_place(opened):
    page = opened(placed())
    captions = page.locator(".placing").first.locator(".placed")
    captions.nth(2).hover()
    soon(lambda: part(page, ".positive"), at(18, 24))
    assert part(page, ".negative") == at(15, 30)
    captions.nth(1).focus()
    soon(lambda: part(page, ".positive"), at(3, 12))
    page.keyboard.press("Tab")
    soon(lambda: part(page, ".positive"), at(18, 24))
    assert part(page, ".positive", 1) == at(0, 30)
    expect(page.locator(".placed.now").first).to_contain_text("A dog runs.")


def test_a_rejected_caption_is_set_apart_with_its_reason(opened):
    page = opened(placed())
    rejected = page.locator(".placed").first
    assert "no context" in rejected.inner_text()
    assert "score" not in rejected.inner_text()
    rejected.hover()
    lane = page.locator(".placing").first.locator(".lane")
    expect(lane.locator(".positive.aside")).to_have_count(1)
    expect(lane.locator(".negative.aside")).to_have_count(1)


def test_moving_along_the_time_line_says_what_is_there(opened):
    page = opened(placed())
    line = page.locator(".placing .line").first
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    for second, word in (
        (4, "positive"),
        (15, "in the negative span"),
        (18, "the video ends"),
        (20, "looks alike, 0.91"),
        (27, "outside"),
    ):
        page.mouse.move(box["x"] + box["width"] * second / 30, box["y"] + 20)
        tip = page.locator("#tip")
        expect(tip).to_have_text(re.compile(f"{re.escape(word)}$"))
        assert flat(line.get_attribute("aria-valuetext")) == flat(tip.inner_text())
    line.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuenow", "1.0")


def test_opening_a_caption_plays_its_clip_from_where_the_caption_holds(opened):
    page = opened(placed())
    captions = page.locator(".placing").first.locator(".placed")
    captions.nth(2).click()
    expect(captions.nth(2)).to_be_focused()
    expect(page.locator("dialog[open]")).to_have_count(0)
    captions.nth(1).click()
    expect(page.locator("dialog[open] h3")).to_have_text(re.compile(r"^12\.0\s+s$"))
    expect(page.locator("dialog video")).to_have_attribute("src", re.compile(r"/a%250\.mp4#t=5\.500$"))
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    captions.nth(0).focus()
    expect(captions.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open] .stills .film")).to_have_count(4)


def test_a_clip_opened_right_after_another_was_closed_is_there(opened):
    """A dialog says late that it was closed: whoever is quicker than that must not find the next clip empty."""
    page = opened(placed())
    page.locator(".placing").first.locator(".placed").nth(1).click()
    expect(page.locator("dialog[open] video")).to_have_count(1)
    page.evaluate(
        """() => new Promise((done) => {
            const dialog = document.querySelector("dialog");
            dialog.addEventListener("close", done, { once: true });  // after the page's own listener
            dialog.close();
            document.querySelector(".placing .placed").click();
        }).then(() => {})"""
    )
    expect(page.locator("dialog[open] .stills .film")).to_have_count(4)
    expect(page.locator("dialog video")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("dialog:not([open])")).to_be_empty()


def test_a_touch_shows_first_and_opens_at_the_second_one(opened):
    page = opened(placed())
    caption = page.locator(".placing").first.locator(".placed").nth(0)
    for opens in (0, 1):
        caption.dispatch_event("pointerdown", {"pointerType": "touch"})
        caption.dispatch_event("click", {"detail": 1})
        soon(lambda: part(page, ".positive"), at(13, 17))
        expect(page.locator("dialog[open]")).to_have_count(opens)


def test_hostile_texts_and_reasons_stay_text(opened):
    data = placed()
    data["spans"]["films"][0]["spans"] = [
        span(text, [0.0, 10.0], [0.0, 20.0], edges=[text, text], rejected_by=text, kind=text, step=text)
        for text in NASTY
    ]
    data["spans"]["rejected"] = [[text, 3] for text in NASTY]
    page = opened(data)
    for i, text in enumerate(NASTY):
        caption = page.locator(".placing").first.locator(".placed").nth(i)
        caption.hover()
        soon(caption.locator(".card-say").text_content, text)
    assert page.locator("#spans :is(img[src='x'], script, b b)").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize(
    ("captions", "words"),
    [(0, "Spans are made of captions, and there are none yet."), (7, "type: longtake ground my-set")],
)
def test_why_there_are_no_spans_is_said(opened, captions, words):
    data = placed()
    data["spans"].update(count=0, good=0, videos=0, rejected=[], reasons=0, films=[], histograms=[], scored=0)
    data["captions"]["count"] = captions
    page = opened(data)
    assert words in flat(page.locator("#spans").inner_text())


def test_where_all_were_rejected_that_is_said(opened):
    data = placed()
    data["spans"].update(good=0, videos=0, scored=0)
    data["spans"]["films"] = data["spans"]["films"][:1]
    data["spans"]["films"][0]["spans"] = data["spans"]["films"][0]["spans"][:1]
    page = opened(data)
    assert "No caption has a place yet: all 1 412 were rejected." in flat(page.locator("#spans").inner_text())
    assert "no caption was weighed" in page.locator("#spans").inner_text()
    assert part(page, ".positive") == at(13, 17)


def test_a_recipe_without_spans_has_no_such_section(opened):
    page = opened()
    assert page.locator("#spans, nav a[href='#spans']").count() == 0


# Clips joined from shots


def joined() -> dict:
    """Join the first clip, [0.5, 12.5) of its video, from three shots."""
    data = made_up()
    data["noun"] = "clip"
    data["totals"]["joined"] = 1
    data["videos"][0]["transitions"] = [[4.5, 4.5, "cut"], [8.5, 9.5, "dissolve"], [12.75, 12.75, "cut"]]
    said = {"score": 0.873, "model": None}
    data["clips"][0].update(
        joins=5,
        joined=[
            {
                "start_s": 4.0,
                "end_s": 4.0,
                "kind": "cut",
                "votes": [
                    {"voter": "colour", "joins": True, **said},
                    {"voter": HOSTILE, "joins": None, "score": None, "model": HOSTILE},
                ],
            },
            {"start_s": 8.0, "end_s": 9.0, "kind": "dissolve", "votes": [{"voter": "colour", "joins": False, **said}]},
        ],
    )
    return data


def test_a_joined_clip_says_so_and_marks_where_on_its_card(opened):
    page = opened(joined())
    cards = page.locator("#kept .card")
    assert "joins 6 shots" in cards.nth(0).inner_text()
    assert "joins" not in cards.nth(1).inner_text()
    marks = cards.nth(0).locator(".marked i")
    strip = cards.nth(0).locator(".strip").bounding_box()
    for mark, (start, length) in zip(marks.all(), [(4, 0), (8, 1)], strict=True):
        box = mark.bounding_box()
        assert box["x"] - strip["x"] == pytest.approx(strip["width"] * start / 12, abs=1.5)
        assert box["width"] == pytest.approx(max(2, strip["width"] * length / 12), abs=1)
    assert "clips 12 345 1 joined from shots" in flat(page.locator(".facts").inner_text())


def test_an_opened_joined_clip_lists_its_transitions_with_the_votes(opened):
    page = opened(joined())
    page.locator("#kept .card").first.click()
    table = page.locator("dialog .joins table")
    shown = HOSTILE.replace("\u2028", "")
    expect(page.locator("dialog")).to_contain_text("3 more transitions of this clip are in the set.")
    assert [cell.text_content().replace("\u2028", "") for cell in table.locator("thead th").all()] == ["colour", shown]
    rows = [flat(row) for row in table.locator("tbody tr").all_inner_texts()]
    assert rows == ["cut 0:04.0 yes 0.87 can’t tell", "dissolve 0:08.0 – 0:09.0 no 0.87 –"]
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= innerWidth")
    assert page.locator("dialog img[src='x']").count() == 0


def test_a_time_of_a_joined_clip_plays_it_from_just_before(opened):
    data = joined()
    data["clips"][0]["joined"][0].update(start_s=1.5, end_s=1.5)
    page = opened(data)
    page.locator("#kept .card").first.click()
    page.wait_for_function("document.querySelector('dialog video').readyState >= 1")
    page.evaluate("document.querySelector('dialog video').play = () => Promise.resolve()")
    page.evaluate("document.querySelector('dialog video').pause()")
    page.locator("dialog .joins .link").first.click()
    soon(lambda: page.evaluate("document.querySelector('dialog video').currentTime"), pytest.approx(0.5, abs=0.1))


def test_transitions_inside_a_clip_stay_visible_and_differ_from_those_between(opened):
    page = opened(joined())
    track = page.locator(".reel .track").first
    inner = [float(mark.get_attribute("x").rstrip("%")) for mark in track.locator(".inner").all()]
    assert inner == pytest.approx([15, 100 * 8.5 / 30])
    assert track.locator("rect:not([class])[height='100%'], rect[class=''][height='100%']").count() == 1
    assert "inside a clip" in page.locator("#videos .legend").inner_text()
    line = page.locator(".reel .line").first
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 9 / 30, box["y"] + 20)
    soon(lambda: flat(page.locator("#tip").inner_text()), "0:09.0 · kept, 12.0 s · joins 3 shots · dissolve")


@pytest.mark.parametrize("width", [360, 1280, 3840])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_width_or_theme_breaks_spans_and_joined_clips(opened, width, theme):
    data = placed()
    data["clips"][0].update({key: joined()["clips"][0][key] for key in ("joins", "joined")})
    page = opened(data)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    soon(lambda: page.evaluate("document.documentElement.scrollWidth") <= width, True)
    page.locator("#kept .card").first.click()
    expect(page.locator("dialog[open]")).to_have_count(1)
    soon(lambda: page.evaluate("document.querySelector('dialog').scrollWidth") <= width, True)
    for slip in ("undefined", "NaN", "[object", ">null<"):
        assert slip not in page.locator("#spans").inner_html() + page.locator("dialog").inner_html()
