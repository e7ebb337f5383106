"""The viewer's page in a real browser: what is shown, dragged, sought and judged is what the set has."""

import base64
import json
import re
import sys
from pathlib import Path
from urllib.parse import quote, unquote_plus

import av
import cv2
import numpy as np
import pyarrow as pa
import pytest
from browsers import PATIENCE_S, expect, launched, soon
from looking import served
from media import read_number, write_number, write_video

from longtake.planning import FRAMES_KEY
from longtake.recipe import load
from longtake.select_set import select_set
from longtake.settings import read_recipe
from longtake.store import Store
from longtake.viewer.page import page as page_text
from longtake.viewer.page import script, style

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from viewer import RULES, make_set

HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\"'&{{7*7}}"
CLIPS, FRAMES, FPS = 240, 60, 25
UNEVEN_S = np.cumsum([0.0, *np.where(np.arange(FRAMES - 1) % 3, 0.02, 0.1)])
"""When frames that are not equally long are shown."""


# Without a browser


def test_the_page_has_no_script_or_style_inside_and_names_no_other_place():
    text = page_text() + script() + style()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=\"|\son\w+=\"", page_text())
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script())


def test_every_part_is_joined_once():
    for folder, suffix, text in (("viewer", "js", script()), ("viewer", "css", style())):
        parts = sorted((Path(__file__).parents[2] / "longtake" / folder / "parts").glob(f"*.{suffix}"))
        assert parts
        for part in parts:
            assert text.count(part.read_text(encoding="utf-8")) == 1, part.name


# In a browser


@pytest.fixture(scope="module")
def chromium():
    with launched() as browser:
        yield browser


def write_numbered(path: Path) -> None:
    """Write a file each of whose frames carries its number."""
    path.parent.mkdir(parents=True)
    blank = np.full((180, 320, 3), 90, np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"g": "24", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(FRAMES):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(write_number(blank, number))))
        out.mux(stream.encode(None))


@pytest.fixture(scope="module")
def first(made_of_frames):
    """The clip of numbered frames."""
    return with_file(made_of_frames, "clips/numbered.mp4")


def with_file(folder: Path, name: str) -> str:
    return Store(folder).read("clips", ["id"], f"file = '{name}'")["id"][0].as_py()


@pytest.fixture(scope="module")
def made_of_frames(tmp_path_factory) -> Path:
    """A set of 240 clips; the first has a file, a caption of its second second, and nasty names."""
    folder = tmp_path_factory.mktemp("page") / "made"
    make_set(folder, CLIPS)
    write_numbered(folder / "clips" / "numbered.mp4")
    store = Store(folder)
    clip = store.read("clips", ["id", "video_id"]).to_pylist()[0]
    length = {"end_s": FRAMES / FPS, "duration_s": FRAMES / FPS, "start_frame": 0, "end_frame": FRAMES}
    file = {"id": clip["id"], "file": "clips/numbered.mp4", **length}
    store.update("clips", "id", [file], chosen(store, "clips", file))
    video = {"id": clip["video_id"], "path": f"/films/{HOSTILE.replace('/', '')}.mp4"}
    store.update("videos", "id", [video], chosen(store, "videos", video))
    said = {"clip_id": clip["id"], "video_id": clip["video_id"], "step": "lvd2m", "kind": "raw", "model": HOSTILE}
    placed = {"number": 0, "start_s": 1.0, "end_s": 2.0, "text": HOSTILE, "problems": [], "frames_s": [0.0, 1.0]}
    store.append("captions", [{**said, **placed}])
    add_uneven(folder)
    return folder


def add_uneven(folder: Path) -> None:
    """Give a clip of another video a file whose frames are not equally long."""
    numbered = (write_number(np.full((180, 320, 3), 90, np.uint8), number) for number in range(FRAMES))
    write_video(folder / "clips" / "uneven.mp4", numbered, times=UNEVEN_S)
    store = Store(folder)
    rows = store.read("clips", ["id", "video_id", "start_s", "file"]).to_pylist()
    known = next(row["video_id"] for row in rows if row["file"])
    clip = next(row for row in rows if row["video_id"] != known)
    length_s = float(2 * UNEVEN_S[-1] - UNEVEN_S[-2])
    frames = {"start_frame": 0, "end_frame": FRAMES}
    placed = {"end_s": clip["start_s"] + length_s, "duration_s": length_s, **frames}
    file = {"id": clip["id"], "file": "clips/uneven.mp4", **placed}
    store.update("clips", "id", [file], chosen(store, "clips", file))
    video = {"id": clip["video_id"], "variable_fps": True}
    store.update("videos", "id", [video], chosen(store, "videos", video))
    times = clip["start_s"] + np.array([-0.1, *UNEVEN_S, length_s])
    series = {"columns": (), "times": times, "frames": np.arange(FRAMES + 2), "values": np.empty((FRAMES + 2, 0))}
    named = {"video_id": clip["video_id"], "key": FRAMES_KEY, "label": "frames", "step": "frames"}
    store.add_signals([{**named, "version": 1, "parameters": {}, "series": series}])


def chosen(store: Store, table: str, row: dict) -> pa.Schema:
    """Return the part of a table's schema that a row has."""
    return pa.schema([store.columns(table).field(name) for name in row])


@pytest.fixture(scope="module")
def server(made_of_frames):
    with served(made_of_frames) as asker:
        yield asker


@pytest.fixture
def opened(chromium, server):
    """Open a view; at the end, fail if the page complained, or asked anything of another machine."""
    complaints = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(1000 * PATIENCE_S)

    def open_page(view: str = "#/", at: str = server.url, allowed: str = "^$"):
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda asked: asked.url.startswith((at, "blob:", "data:")) or complaints.append(asked.url))
        page.goto(at + view)
        page.locator("#bar .kept-now b").wait_for()
        page.allowed = allowed
        return page

    yield open_page
    allowed = "|".join(page.allowed for page in context.pages)
    context.close()
    assert [text for text in complaints if not re.search(allowed, text)] == []


SHOWN = """(video) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
}"""


def shows(page, number: int) -> None:
    """Wait until the player shows the frame with a number burnt in; what it shows else fails the test."""
    player = page.locator(".player video")
    page.wait_for_function("() => document.querySelector('.player video')?.readyState > 1")

    def shown() -> int:
        picture = np.frombuffer(base64.b64decode(player.evaluate(SHOWN)), np.uint8)
        return read_number(cv2.imdecode(picture, cv2.IMREAD_COLOR))

    soon(shown, number)


def words(locator) -> str:
    return re.sub(r"\s+", " ", locator.inner_text().replace("\u202f", " ").replace("\u00a0", " ")).strip()


def rules_of(page) -> list[str]:
    found = re.search(r"[?&]rules=([^&]*)", page.url)
    return json.loads(unquote_plus(found[1])) if found else RULES


def settled(page, folder: Path, rules: list[str]) -> None:
    """Wait until the page says what `longtake select` says of some rules."""
    kept = select_set(folder, rules).funnel[-1].clips
    expect(page.locator("#bar .kept-now b")).to_have_text(str(kept))


@pytest.mark.browser
def test_a_seek_lands_on_the_frame_asked_for(opened, first):
    page = opened(f"#/clip/{first}")
    shows(page, 0)
    place = page.get_by_label("Frame of the clip")
    for number in (37, 23, 24, 59, 0, 48):  # in every place of a group of frames
        place.fill(str(number))
        shows(page, number)
        expect(page.locator(".controls .at")).to_contain_text(f"frame {number},")
    page.locator("h1").click()
    for key, number in ((".", 49), (".", 50), (",", 49), (",", 48), (",", 47)):
        page.keyboard.press(key)
        shows(page, number)


@pytest.mark.browser
def test_keys_in_quick_succession_count_every_frame(opened, first):
    page = opened(f"#/clip/{first}")
    shows(page, 0)
    for _ in range(12):
        page.keyboard.press(".")
    expect(page.locator(".controls .at")).to_contain_text("frame 12,")
    shows(page, 12)


@pytest.mark.browser
def test_frames_that_are_not_equally_long_are_all_stepped_through(opened, made_of_frames):
    page = opened(f"#/clip/{with_file(made_of_frames, 'clips/uneven.mp4')}")
    shows(page, 0)
    for number in range(1, 8):
        page.keyboard.press(".")
        shows(page, number)
        expect(page.locator(".at")).to_contain_text(f"frame {number},")
        expect(page.locator(".at b")).to_have_text(f"0:00.{round(1000 * UNEVEN_S[number]):03d}")
    page.keyboard.press(",")
    shows(page, 6)
    page.get_by_label("Frame of the clip").fill("41")
    shows(page, 41)


@pytest.mark.browser
def test_a_caption_leads_to_the_first_frame_it_is_about(opened, first):
    page = opened(f"#/clip/{first}")
    page.locator(".said-by .when").first.click()
    expect(page.locator(".controls .at")).to_contain_text("frame 25,")
    shows(page, 25)


@pytest.mark.browser
def test_the_time_line_leads_to_frames_and_can_be_zoomed(opened, first):
    page = opened(f"#/clip/{first}")
    shows(page, 0)
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="This clip").click()
    line = page.locator(".over-all")
    length = FRAMES / FPS
    # The clip and a twenty-fifth of it on each side, as far as the video goes.
    soon(lambda: line.locator(".own").bounding_box()["width"] > line.bounding_box()["width"] * 0.8, True)
    box, span = line.bounding_box(), line.locator(".own").bounding_box()
    page.mouse.click(span["x"] + span["width"] * 30.5 / FRAMES, box["y"] + 20)
    expect(page.locator(".controls .at")).to_contain_text("frame 30,")
    shows(page, 30)
    line.focus()
    page.keyboard.press("Home")
    soon(lambda: float(line.get_attribute("aria-valuenow")), 0)
    page.keyboard.press("PageUp")
    soon(lambda: 0 < float(line.get_attribute("aria-valuenow")) < length, True)
    page.keyboard.press("+")
    soon(lambda: line.locator(".own").bounding_box()["width"] > span["width"] * 1.5, True)


@pytest.mark.browser
def test_a_dragged_line_counts_as_select_does(opened, made_of_frames):
    page = opened()
    page.wait_for_load_state("networkidle")
    handle = page.locator("figure[data-score='motion.mean'] .handle")
    handle.scroll_into_view_if_needed()
    page.locator("figure[data-score='motion.mean'] .bar-kept").first.wait_for(state="attached")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + 11, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 91, box["y"] + 60, steps=7)
    page.mouse.up()
    soon(lambda: float(handle.get_attribute("aria-valuenow")) > 0.077, True)
    moved = f"motion.mean >= {handle.get_attribute('aria-valuenow')}"
    soon(lambda: [rule for rule in rules_of(page) if rule not in RULES], [moved])
    dragged = rules_of(page)
    settled(page, made_of_frames, dragged)
    last = page.locator(".funnel tr.last .n").first
    soon(lambda: words(last), str(select_set(made_of_frames, dragged).funnel[-1].clips))
    page.keyboard.press("Control+z")
    settled(page, made_of_frames, RULES)
    soon(lambda: rules_of(page), RULES)


@pytest.mark.browser
def test_rules_are_moved_turned_added_and_taken_away_by_keys(opened, made_of_frames):
    page = opened()
    handle = page.locator("figure[data-score='duration_s'] .handle")
    handle.focus()
    for _ in range(3):
        before = rules_of(page)
        page.keyboard.press("ArrowRight")
        soon(lambda before=before: rules_of(page) != before, True)
    assert float(handle.get_attribute("aria-valuenow")) > 10
    settled(page, made_of_frames, rules_of(page))
    page.get_by_label("content.max <, turn round").press("Enter")
    soon(lambda: "content.max > 0.9" in rules_of(page), True)
    settled(page, made_of_frames, rules_of(page))
    luma = page.locator("figure[data-score='look.luma']")
    luma.scroll_into_view_if_needed()
    luma.get_by_role("button", name="+ rule").press("Enter")
    luma.locator("input").fill("0.25")
    luma.locator("input").press("Enter")
    soon(lambda: rules_of(page)[-1], "look.luma >= 0.25")
    settled(page, made_of_frames, rules_of(page))
    luma.get_by_label("Remove the rule").press("Enter")
    page.get_by_label("Remove the rule content.max", exact=False).last.press("Enter")
    soon(lambda: len(rules_of(page)), 2)
    settled(page, made_of_frames, rules_of(page))
    page.get_by_label("A new rule").fill("no.such >= 1")
    page.get_by_role("button", name="Add a rule").click()
    expect(page.locator(".adding [role=status]")).to_contain_text("no score 'no.such'")
    page.allowed = "400"
    page.get_by_role("button", name="Back to the set").click()
    settled(page, made_of_frames, RULES)


@pytest.mark.browser
def test_a_click_on_a_plot_adds_a_rule_there(opened, made_of_frames):
    page = opened()
    page.wait_for_load_state("networkidle")
    plot = page.locator("figure[data-score='look.luma'] .stage-of")
    plot.scroll_into_view_if_needed()
    page.locator("figure[data-score='look.luma'] .bar-rejected").first.wait_for(state="attached")
    box = plot.bounding_box()
    page.mouse.click(box["x"] + 34 + (box["width"] - 42) / 2, box["y"] + 80)
    soon(lambda: len(rules_of(page)), len(RULES) + 1)
    score, number = rules_of(page)[-1].split(" >= ")
    assert score == "look.luma" and float(number) == pytest.approx(0.5, abs=0.02)
    settled(page, made_of_frames, rules_of(page))


@pytest.mark.browser
def test_rules_are_saved_to_the_set_and_as_a_recipe(chromium, opened, tmp_path):
    folder = tmp_path / "own"
    make_set(folder, 60)
    with served(folder) as asker:
        page = opened("#/?rules=" + quote(json.dumps(["duration_s >= 20", "look.luma >= 0.2"])), at=asker.url)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Save as recipe").click()
        saved = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved)
        assert [str(rule) for rule in load(str(saved)).rules] == ["duration_s >= 20", "look.luma >= 0.2"]
        page.get_by_role("button", name="Save to the set").click()
        expect(page.locator("#notice")).to_contain_text("Saved")
        assert read_recipe(folder)["select"]["keep"] == ["duration_s >= 20", "look.luma >= 0.2"]
        expect(page.locator("#changed")).to_be_hidden()
        page.close()


@pytest.mark.browser
def test_hostile_names_and_captions_are_only_text(opened, first):
    page = opened(f"#/clip/{first}")
    shown = page.locator(".said-by .words", has_text="alert(1)").first
    assert shown.text_content() == HOSTILE
    soon(lambda: HOSTILE.replace("/", "") in page.locator(".path").text_content(), True)
    page.goto(page.url.split("#")[0] + "#/clips?show=all")
    tile = page.locator(f".tile[href*='{first}']")
    soon(lambda: HOSTILE.replace("/", "") in tile.text_content(), True)
    assert page.locator("img[src='x'], img[onerror]").count() == 0


@pytest.mark.browser
def test_a_judgement_is_there_after_the_page_is_loaded_anew(opened, first, made_of_frames):
    page = opened(f"#/clip/{first}")
    page.locator(".judge-bar").wait_for()
    page.keyboard.press("c")
    page.keyboard.press("n")
    page.keyboard.type("r is no verdict here")
    page.keyboard.press("Enter")
    page.keyboard.press("k")
    expect(page.locator(".verdict-button.yes")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".saved")).to_have_text("saved")
    page.reload()
    expect(page.locator(".verdict-button.yes")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".flag[aria-pressed='true']")).to_have_text(re.compile("^has a cut"))
    expect(page.get_by_label("Note")).to_have_value("r is no verdict here")
    row = Store(made_of_frames).read("judgements").sort_by("made").to_pylist()[-1]
    assert (row["clip_id"], row["keep"], row["flags"], row["note"]) == (first, True, ["cut"], "r is no verdict here")


@pytest.mark.browser
def test_another_name_while_the_page_still_loads_shows_one_page(opened):
    page, held = opened("#/"), []
    page.route("**/api/judging?*", lambda route: held.append(route))
    with page.expect_request("**/api/judging?*"):
        page.evaluate("location.hash = '#/judging'")
    with page.expect_request("**/api/judging?*judge=Ada"):
        page.get_by_label("Who judges").fill("Ada")
        page.keyboard.press("Enter")
    for route in held:
        route.continue_()
    expect(page.locator(".judging-body > [aria-busy]")).to_have_attribute("aria-busy", "false")
    expect(page.get_by_label("kept clips", exact=True)).to_have_count(1)


@pytest.mark.browser
def test_a_sample_is_judged_by_keys_alone(opened, server, made_of_frames):
    page = opened("#/judging", allowed="404")  # most clips have no file here
    page.get_by_label("Who judges").fill("Ada")
    page.keyboard.press("Enter")
    expect(page.locator(".judging-body > [aria-busy]")).to_have_attribute("aria-busy", "false")
    for name, number in (("kept clips", "3"), ("rejected clips", "2")):
        page.get_by_label(name, exact=True).fill(number)
    page.get_by_role("button", name="Draw a sample").press("Enter")
    progress, before = page.locator(".progress [role=status]"), None
    expect(progress).to_have_text("0 of 5 judged")
    page.locator(".judged-about").wait_for()
    everywhere, in_numbers = page.locator(".judging-body"), page.locator(".numbers")
    soon(lambda: everywhere.inner_text().count("kept") - in_numbers.inner_text().count("kept"), 0)
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("keep")
    page.keyboard.press("k")  # the keys' own dialog stands before: nothing is judged
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(progress).to_have_text("0 of 5 judged")
    for place, key in enumerate("kkrkr"):
        before = page.locator(".judged-about").text_content()
        page.keyboard.press("s")
        page.keyboard.press(key)
        if place < 4:
            expect(progress).to_have_text(f"{place + 1} of 5 judged")
            expect(page.locator(".judged-about")).not_to_have_text(before)
    expect(page.locator(".draw .hero")).to_contain_text("Every clip of the sample is judged")
    said = Store(made_of_frames).read("judgements").to_pylist()
    assert sum(row["keep"] is True for row in said if row["flags"] == ["static"]) == 3
    told = server.get("api/judging", judge="Ada")
    assert told["sample"]["done"] == 5
    gauges = page.locator(".gauge h3 b")
    soon(lambda: words(gauges.nth(0)), f"{round(100 * told['precision']['value'])} %")


@pytest.mark.browser
def test_two_captions_are_chosen_between_blindly(opened, first, made_of_frames):
    page = opened("#/judging?of=captions&rules=" + quote(json.dumps(["duration_s == 2.4"])))
    texts = page.locator(".pair .words")
    expect(texts).to_have_count(2)
    both = texts.all_text_contents()
    assert HOSTILE in both
    assert "raw" not in page.locator(".pair").inner_text()
    page.keyboard.press("12"[both.index(HOSTILE)])
    expect(page.locator(".empty")).to_contain_text("No more kept clips")
    row = Store(made_of_frames).read("choices").to_pylist()[-1]
    assert (row["clip_id"], row["chosen"]) == (first, "lvd2m.raw")


@pytest.mark.browser
def test_a_wall_of_clips_has_few_nodes_and_keeps_ones_place(opened, server):
    page = opened("#/clips?show=all")
    tiles = page.locator(".item:not([hidden]) .tile[href]")
    tiles.first.wait_for()
    page.locator(".wall").focus()
    page.keyboard.press("End")
    last = page.locator(f".item[aria-posinset='{CLIPS}'] .tile[href]")
    expect(last).to_be_focused()
    soon(lambda: page.locator(".item").count() < 80, True)
    expect(page.locator(".item").first).to_have_attribute("aria-setsize", str(CLIPS))
    every = [server.post("api/clips", rules=RULES, show="all", offset=at, limit=120)["clips"] for at in (0, 120)]
    ids = [clip["id"] for page_of in every for clip in page_of]
    expect(last).to_have_attribute("href", re.compile(re.escape(f"#/clip/{ids[-1]}")))
    page.allowed = "404"
    page.keyboard.press("Enter")
    expect(page.locator(".steps")).to_contain_text("240 of 240")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/#/clip/{ids[-2]}*")
    expect(page.locator(".steps")).to_contain_text("239 of 240")
    page.get_by_role("link", name="Clips", exact=True).click()
    expect(page.locator(f".tile[href*='{ids[-2]}']")).to_be_in_viewport()
    page.go_back()
    page.get_by_role("link", name="All", exact=True).press("Enter")
    expect(page.locator(f".tile[href*='{ids[-2]}']")).to_be_focused()


@pytest.mark.browser
def test_clips_are_sorted_searched_and_told_by_rule(opened, server):
    page = opened("#/clips")
    total = page.locator(".sum b")
    expect(total).to_have_text(re.compile(r"\d+ clips"))
    page.get_by_role("button", name="rejected").click()
    page.get_by_label("Rejected by").select_option("by duration_s >= 10")
    by_rule = server.post("api/clips", rules=RULES, show="rejected", by="duration_s >= 10")
    expect(total).to_have_text(f"{by_rule['total']} clips")
    page.get_by_role("button", name="all").click()
    page.get_by_label("Order", exact=True).select_option("look.luma")
    ranked = server.post("api/clips", rules=RULES, show="all", sort="look.luma", descending=True)["clips"]
    expect(page.locator(f".item[aria-posinset='1'] .tile[href*='{ranked[0]['id']}']")).to_be_visible()
    page.get_by_label("Search captions").fill("harbour sails")
    page.keyboard.press("Enter")
    found = server.post("api/clips", rules=RULES, show="all", words="harbour sails")
    expect(total).to_have_text(f"{found['total']} clips")
    expect(page).to_have_url(re.compile("harbour"))
    url = page.url
    page.reload()
    assert page.url == url
    expect(total).to_have_text(f"{found['total']} clips")


@pytest.mark.browser
def test_clips_in_view_are_told_by_the_rules_as_they_are_now(opened):
    page = opened("#/clips?show=all")
    page.get_by_role("button", name="Rules").click()
    expect(page.locator(".item:not([hidden]) .tile.is-kept")).not_to_have_count(0)
    page.get_by_label("duration_s >=", exact=True).last.fill("100000")
    page.keyboard.press("Enter")
    expect(page.locator("#bar .kept-now b")).to_have_text("0")
    expect(page.locator(".item:not([hidden]) .tile.is-kept")).to_have_count(0)
    expect(page.locator(".item[aria-posinset='1']")).to_contain_text("not >= 100000")
    page.get_by_label("Order", exact=True).select_option("look.luma")
    expect(page.locator(".item[aria-posinset='1']")).to_contain_text("look.luma 0")


@pytest.mark.browser
def test_a_wrong_rule_in_the_address_is_told_and_left_out(opened, made_of_frames):
    page = opened(f"#/?rules={quote(json.dumps(['duration_s >= 12', 'nonsense > 1']))}", allowed="400")
    expect(page.locator("#notice")).to_contain_text("no score 'nonsense'")
    settled(page, made_of_frames, RULES)
    soon(lambda: rules_of(page), RULES)
    expect(page.locator(".bar-kept").first).to_be_attached()
    page.goto(page.url.split("#")[0] + f"#/?rules={quote(json.dumps(['rubbish > 1']))}")
    expect(page.locator("#notice")).to_contain_text("no score 'rubbish'")
    expect(page).not_to_have_url(re.compile("rubbish"))
    settled(page, made_of_frames, RULES)


@pytest.mark.browser
def test_two_sets_are_compared(opened, made_of_frames, tmp_path):
    other = tmp_path / "other"
    make_set(other, CLIPS)
    select_set(other, ["duration_s >= 20"], save=True)
    with served(made_of_frames, other) as asker:
        told = asker.get("api/compare")
        page = opened("#/compare", at=asker.url)
        counted = [str(told[side]) for side in ("entered", "left", "both")]
        expect(page.locator(".choice button span")).to_have_text(counted)
        page.get_by_role("button", name="in both").click()
        expect(page.locator(".item[aria-posinset='1']")).to_have_attribute("aria-setsize", str(told["both"]))
        page.close()


def bright(page) -> bool:
    """Whether the ground is more white than black."""
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(n) for n in re.findall(r"\d+", ground)[:3]) > 384


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light"), (1280, "dark"), (3840, "light")])
def test_no_width_or_theme_breaks_a_view(opened, first, width, theme):
    page = opened()
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    for view in ("#/", "#/clips?show=all", f"#/clip/{first}", "#/judging?of=captions"):
        page.goto(page.url.split("#")[0] + view)
        page.locator("h1").first.wait_for(state="attached")
        expect(page.locator("[aria-busy='true']")).to_have_count(0)
        page.wait_for_load_state("networkidle")
        soon(lambda: page.evaluate("document.documentElement.scrollWidth") <= width, True)
        for slip in ("undefined", "NaN", "Infinity", "[object"):
            assert slip not in page.locator("#main").inner_text(), view
    soon(lambda: bright(page), theme == "light")


@pytest.mark.browser
def test_what_is_not_there_is_said_in_words(opened):
    page = opened("#/clip/%E0%A4%A", allowed="404")
    expect(page.locator(".empty")).to_contain_text("no clip")
    page.goto(page.url.split("#")[0] + "#/clip/none-such")
    expect(page.locator(".empty")).to_contain_text("no clip 'none-such'")
    page.get_by_role("link", name="To the overview").click()
    expect(page.locator("h1")).to_have_text("made")


@pytest.mark.browser
def test_the_frames_a_model_saw_are_shown_and_lead_there(opened, first):
    page = opened(f"#/clip/{first}")
    page.get_by_text("The 2 frames it saw").click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.saw img')].filter((i) => i.naturalWidth > 0).length === 2"
    )
    page.locator(".saw button").last.click()
    shows(page, 25)


@pytest.mark.browser
def test_the_file_of_a_clip_plays_where_the_pointer_rests(opened, first):
    page = opened("#/clips?show=all")
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    page.locator(f".tile[href*='{first}']").hover()
    playing = f"() => document.querySelector(\".tile[href*='{first}'] video.on\")?.currentTime > 0.2"
    page.wait_for_function(playing)
    page.mouse.move(0, 0)
    expect(page.locator(".tile video")).to_have_count(0)


@pytest.mark.browser
def test_nothing_plays_by_itself_where_motion_is_unwanted(opened, first):
    page = opened(f"#/clip/{first}")
    shows(page, 0)
    assert page.locator(".player video").evaluate("(video) => video.paused")
