"""The report page: hostile text stays text, and in a browser the page shows what the data say."""

import copy
import json
import re

import cv2
import numpy as np
import pytest
from browsers import expect, soon
from pages import HOSTILE, made_up

from longtake.report.page import render


def stored(page: str) -> dict:
    """Read the data back as a browser would: everything up to the first closing tag."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script', page, re.DOTALL)[1])


# Without a browser


def test_data_survive_the_page_unchanged():
    assert stored(render(made_up())) == made_up()


@pytest.mark.parametrize(
    "text", [HOSTILE, "</ScRiPt >", "<!-- <script>", "]]>", "a\u2028b\u2029c", "\udcff.mp4", "$&\\1"]
)
def test_no_text_ends_the_data_early(text):
    page = render({**made_up(), "name": text})
    assert stored(page)["name"] == text
    plain = render({**made_up(), "name": "plain"})
    for mark in ("<script", "</script", "<!--", "<img", "\u2028", "\u2029"):
        assert page.count(mark) == plain.count(mark)
    page.encode("utf-8")


def test_numbers_that_json_lacks_become_null():
    data = made_up()
    data["clips"][0]["scores"] = {"motion.mean": float("nan"), "look.luma": np.float64("inf")}
    assert stored(render(data))["clips"][0]["scores"] == {"motion.mean": None, "look.luma": None}


def test_the_placeholder_in_the_data_is_only_text():
    assert stored(render({"name": '{"data": "here"}'})) == {"name": '{"data": "here"}'}


def test_only_the_pages_own_script_may_run_and_nothing_is_fetched():
    page = render(made_up())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", rules["script-src"])
    assert "http:" not in policy and "https:" not in policy
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "innerHTML" not in page


# In a browser


def brightness(page, film) -> float:
    """Mean brightness of the upper left corner of a film, where no digits are."""
    shot = cv2.imdecode(np.frombuffer(film.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    height, width = shot.shape
    return float(shot[height // 10 : height // 5, width // 10 : width // 5].mean())


@pytest.mark.browser
def test_numbers_are_shown_in_words_people_use(opened):
    page = opened()
    assert page.locator("h1").inner_text() == "my-set"
    hero = page.locator(".hero").inner_text().replace("\u202f", " ").replace("\u00a0", " ")
    assert hero == "2 videos, 14 min → 2 long takes, 2.7 min kept (19 %)"
    rows = page.locator(".funnel tbody tr").all_inner_texts()
    assert [re.sub(r"\s+", " ", row).strip() for row in rows] == [
        "shots found 12 345 12 min",
        "duration_s >= 10 31 − 12 314 8.3 min − 3.3 min",
        "motion.mean >= 0.077 7 not measured 2 − 29 2.7 min − 5.7 min",
    ]
    assert "captions: raw, refined, rewritten (not built yet)" in page.locator(".not-run").inner_text()


@pytest.mark.browser
def test_the_funnels_bars_are_as_wide_as_the_numbers_say(opened):
    page = opened()
    bars = page.locator(".funnel tbody tr").nth(1).locator("td:not(.time) .flow i")
    whole = page.locator(".funnel tbody tr").nth(0).locator("td:not(.time) .flow i").first.bounding_box()["width"]
    assert bars.nth(1).bounding_box()["width"] == pytest.approx(whole * 12314 / 12345, rel=0.01)
    times = page.locator(".funnel tbody tr").nth(2).locator("td.time .flow i")
    kept, took = (times.nth(i).bounding_box()["width"] for i in (0, 1))
    assert kept / (kept + took) == pytest.approx(160 / 500, rel=0.02)


@pytest.mark.browser
def test_thresholds_stand_where_their_number_is(opened):
    page = opened()
    page.locator("#scores").scroll_into_view_if_needed()
    expect(page.locator("svg .rule-text")).to_have_text(["duration_s >= 10", "motion.mean >= 0.077"])
    for plot, part in ((0, np.log(10) / np.log(81)), (1, 0.077 / 0.4)):
        axis, line = (page.locator(".plots svg").nth(plot).locator(name).first for name in (".axis", ".threshold"))
        a, b, at = float(axis.get_attribute("x1")), float(axis.get_attribute("x2")), float(line.get_attribute("x1"))
        assert (at - a) / (b - a) == pytest.approx(part, abs=0.005)
    expect(page.locator(".plots figure").nth(2)).to_contain_text("Not measured on any clip.")


@pytest.mark.browser
def test_many_scores_without_a_rule_stand_aside_until_they_are_asked_for(opened):
    data = made_up()
    [lone] = [one for one in data["histograms"] if not one["thresholds"]]
    data["histograms"] += [
        {**lone, "key": f"text.part{i}", "about": "more than `area`", "kept": [1, 2]} for i in range(9)
    ]
    page = opened(data)
    last = page.locator("#scores figure").last
    assert page.locator("#scores figure:visible").count() == 2
    page.locator("#scores summary", has_text="10 other scores").click()
    last.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#scores details figure:last-of-type svg .bar-kept')")
    expect(last.locator("p code")).to_have_text("area")


@pytest.mark.browser
def test_a_hostile_name_is_only_text(opened):
    page = opened()
    shown = HOSTILE.replace("\u2028", "")
    assert shown in page.locator(".reel .name").first.text_content().replace("\u2028", "")
    assert shown in page.locator("#failures td").first.text_content().replace("\u2028", "")
    assert page.locator("img[src='x'], img[onerror]").count() == 0
    page.locator("#recipe summary").click()
    expect(page.locator("#recipe pre")).to_be_visible()
    assert shown in page.locator("#recipe pre").text_content().replace("\u2028", "")


@pytest.mark.browser
def test_the_policy_stops_markup_that_got_out(opened):
    """Were a name ever written as markup, its script would still not run."""
    page = opened(allowed="Content Security Policy")
    ran = page.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend", "<img src=data:, onerror='window.ran = 1'>");
            const script = document.createElement("script");
            script.textContent = "window.ran = 2";
            document.body.append(script);
            return new Promise((done) => setTimeout(() => done(window.ran ?? 0), 200));
        }"""
    )
    assert ran == 0


@pytest.mark.browser
def test_moving_across_a_clip_shows_the_picture_of_that_time(opened):
    page = opened()
    film = page.locator("#kept .card").first.locator(".film")
    film.scroll_into_view_if_needed()
    box = film.bounding_box()
    for part, tile in ((0.0, 1), (0.3, 4), (0.99, 12)):  # the clip is [0.5, 12.5): tiles 1 to 12, two files
        page.mouse.move(box["x"] + 1 + part * (box["width"] - 2), box["y"] + 20)
        expect(film).to_have_attribute("data-tile", str(tile))
        soon(lambda: brightness(page, film), pytest.approx(40 + 6 * tile, abs=3))
    page.mouse.move(0, 0)
    expect(film).to_have_attribute("data-tile", "6")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("paths", "shown", "folder"),
    [
        (["/films/trip/a.mp4", "/films/trip/b/c.mp4"], ["a.mp4", "b/c.mp4"], "All in /films/trip/"),
        (["/films/trip/a.mp4", "/films/trips/a.mp4"], ["trip/a.mp4", "trips/a.mp4"], "All in /films/"),
        (["/a.mp4", "/b.mp4"], ["a.mp4", "b.mp4"], None),
        (["a.mp4", "films/b.mp4"], ["a.mp4", "films/b.mp4"], None),
    ],
)
def test_the_folder_that_all_videos_share_is_named_once(opened, paths, shown, folder):
    data = made_up()
    for video, path in zip(data["videos"], paths, strict=True):
        video["path"] = path
    page = opened(data)
    assert page.locator(".reel .name").all_inner_texts() == shown
    assert page.locator("#videos .lead").all_inner_texts() == ([folder] if folder else [])


@pytest.mark.browser
def test_keys_move_through_a_clip_and_a_time_line(opened):
    page = opened()
    card = page.locator("#kept .card").first
    card.focus()
    page.keyboard.press("ArrowRight")
    expect(card.locator(".film")).to_have_attribute("data-tile", "7")
    line = page.locator(".line").first
    line.focus()
    page.keyboard.press("End")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(line).to_have_attribute("aria-valuenow", "27.0")
    expect(page.locator("#tip .film")).to_have_attribute("data-tile", "27")
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("dialog video")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


@pytest.mark.browser
def test_hovering_a_time_line_says_time_and_kind(opened):
    page = opened()
    line = page.locator(".line").first
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 17.5 / 30, box["y"] + 20)
    expect(page.locator("#tip")).to_have_text(re.compile(r"^0:17\.[45]\s+·\s+dissolve$"))
    expect(page.locator("#tip .film")).to_have_attribute("data-tile", "17")


@pytest.mark.browser
def test_opening_a_kept_clip_plays_its_file(opened):
    page = opened()
    page.locator("#kept .card").first.click()
    playing = "() => { const v = document.querySelector('dialog video'); return v?.currentTime > 0.2 && v.duration; }"
    assert page.wait_for_function(playing).json_value() == pytest.approx(2.0, abs=0.05)
    page.get_by_role("button", name="Next").click()
    expect(page.locator("dialog")).to_contain_text("No file was written for this clip.")
    page.get_by_role("button", name="Previous").click()
    expect(page.locator("dialog video")).to_have_count(1)


@pytest.mark.browser
def test_a_file_that_does_not_play_is_named_with_the_reason(opened):
    data = made_up()
    data["clips"][0]["file"] = "clips/gone.mp4"
    page = opened(data, allowed="ERR_FILE_NOT_FOUND")
    page.locator("#kept .card").first.click()
    expect(page.locator(".said a")).to_have_count(1)
    expect(page.locator(".said")).to_contain_text("the file is missing, or its format")


@pytest.mark.browser
def test_rejected_clips_say_why_and_can_be_chosen_by_rule(opened):
    page = opened()
    reasons = page.locator("#rejected .why")
    expect(reasons).to_have_text(["duration_s is 4, not >= 10", "motion.mean is 0.01, not >= 0.077"])
    page.get_by_role("button", name="motion.mean >= 0.077").click()
    expect(reasons).to_have_text(["motion.mean is 0.01, not >= 0.077"])
    assert "2 of 12\u202f343" in page.locator("#rejected .lead").inner_text()


@pytest.mark.browser
def test_kept_clips_can_be_ordered_by_a_score(opened):
    page = opened()
    lines = page.locator("#kept .card .card-line:last-child")
    expect(lines).to_have_text([re.compile(r"\s0\.2$"), re.compile(r"\s0\.31$")])
    page.get_by_label("Order").select_option("motion.mean, highest first")
    expect(lines).to_have_text([re.compile(r"\s0\.31$"), re.compile(r"\s0\.2$")])


def with_transitions(data):
    """Say of one clip that nothing was found in its file, of the other that much was."""
    cuts = [[at, at, "cut", 0.9] for at in (0.0, 3.25, 4.0)]
    data["clips"][0]["found"] = []
    data["clips"][1]["found"] = [*cuts[:1], [2.0, 2.5, "dissolve", 0.6], *cuts[1:]]
    return data


@pytest.mark.browser
def test_what_the_second_look_found_is_marked_and_can_be_chosen(opened):
    page = opened(with_transitions(made_up()))
    assert page.locator("#kept .second").inner_text() == "Second look: 37 of 38 files. No person checked."
    assert re.search(r"clean at a second look\s+97.% of 38 files", page.locator(".facts").inner_text())
    cards = page.locator("#kept .card")
    assert [card.locator(".again").all_inner_texts() for card in cards.all()] == [
        [],
        ["second look: cut at 0:00.0, dissolve at 0:02.0\u2009–\u20090:02.5, cut at 0:03.3, ..."],
    ]
    page.get_by_role("button", name="with a transition at the second look").click()
    expect(cards).to_have_count(1)
    page.get_by_label("Order").select_option("motion.mean, highest first")
    expect(cards).to_have_count(1)
    cards.first.click()
    expect(page.locator("dialog .alarm-ink")).to_contain_text("second look: cut at 0:00.0")
    page.keyboard.press("Escape")
    page.locator("#kept .choice button").first.click()
    expect(cards).to_have_count(2)
    cards.nth(1).click()
    expect(page.locator("dialog")).to_contain_text("second look: no transition")


@pytest.mark.browser
def test_a_second_look_that_found_nothing_offers_no_choice(opened):
    page = opened()
    assert page.locator("#kept .choice, #kept .again").count() == 0


def no_second_look(data):
    data["second_look"] = {"files": 0, "clean": 0, "words": ["Not looked at a second time: 2 files."]}
    return "Not looked at a second time: 2 files."


def nothing_kept(data):
    data["clips"] = [{**c, "kept": False, "rejected_by": "duration_s >= 10"} for c in data["clips"]]
    data["totals"].update(kept=0, kept_s=0.0, file_bytes=0, scan_video_h_per_h=None)
    return "Nothing was kept. duration_s >= 10 took most"


def nothing_found(data):
    zero = dict.fromkeys(data["totals"], 0) | {"scan_video_h_per_h": None}
    data["second_look"] = {"files": 0, "clean": 0, "words": []}
    data.update(videos=[], clips=[], funnel=[], histograms=[], failures=[], failures_total=0, not_run=[], totals=zero)
    data["clips_shown"] = {"kept": [0, 0], "rejected": [0, 0]}
    data["recipe"].update(about="", source="", rules=[], toml="")
    return "No clips were found, so there was nothing to choose from."


def nothing_measured(data):
    for c in data["clips"]:
        c["scores"] = dict.fromkeys(c["scores"])
        c["rejected_value"] = None
    for video in data["videos"]:
        video.update(preview=None, fps=None, codec=None, width=None, height=None, duration_s=None)
    return "duration_s was not measured"


@pytest.mark.browser
@pytest.mark.parametrize("change", [nothing_kept, nothing_found, nothing_measured, no_second_look])
def test_what_is_missing_is_said_in_words(opened, change):
    data = copy.deepcopy(made_up())
    sentence = change(data)
    page = opened(data)
    text = page.locator("body").inner_text()
    assert sentence in text
    markup = page.locator("main").evaluate("(node) => node.outerHTML") + page.locator("#top").inner_text()
    for slip in ("undefined", "NaN", "Infinity", "[object", ">null<"):
        assert slip not in markup.replace("aria-valuenow", "")


def bright(page) -> bool:
    """Whether the ground is more white than black."""
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(n) for n in re.findall(r"\d+", ground)[:3]) > 384


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280, 3840])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_width_or_theme_breaks_the_page(opened, width, theme):
    page = opened()
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    soon(lambda: page.evaluate("document.documentElement.scrollWidth") <= width, True)
    soon(lambda: bright(page), theme == "light")
