import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.captions._checks import check, check_prefixed, without_prefix

GOOD = [
    # nature
    "A wide river winds through a valley of dark pines while low clouds drift across the peaks behind it. The camera "
    "glides forward above the water and tilts up to the snow at the end.",
    "Two elephants wade into a muddy pool at sunset, spray themselves with their trunks and walk out on the far bank.",
    "Waves roll onto a black sand beach and draw back, leaving foam between the stones, as gulls circle overhead.",
    "A fox trots along a snowy fence, stops, lifts its head and leaps into the drift with its forepaws together.",
    "3 hikers climb a steep ridge in single file, their red jackets bright against the grey rock.",
    "Bees crawl over a honeycomb as a keeper in a white suit lifts each frame from the hive and turns it in the light.",
    # cities
    "A tram passes a row of shops on a wet street at night; its lights stretch in the puddles, and people with "
    "umbrellas cross behind it from both sides.",
    "From high above, a grid of streets spreads to the horizon, with yellow taxis moving along the avenues in both "
    "directions. The camera turns slowly to the left.",
    "Steam rises from a manhole while a cyclist leans her bike frame against a lamp post and checks her phone.",
    "La Sagrada Familia rises over the roofs of Barcelona as a drone circles its towers in the evening light.",
    "Workers on a roof fasten solar panels in long rows, and one of them carries the last panel up a ladder.",
    "A crowd at the Plaza de la Constitución watches dancers in green skirts turn in a circle. The café behind them is "
    "full, and its waiters stop at the door to look.",
    # sport
    "A skateboarder rolls up to a ledge, pops the board, slides along the edge and lands in a crouch. He pushes on and "
    "leaves the frame on the right.",
    "The goalkeeper dives to her left and tips the ball past the post. Her teammates run to her, and the first of them "
    "helps her up.",
    "A runner in a blue vest overtakes two rivals in the final bend, leans at the line and falls onto the track.",
    "Snooker balls scatter over the green cloth, and the player walks round the table, chalking his cue before the "
    "next shot.",
    "In slow motion, a diver leaves the platform, folds, turns twice and enters the water with hardly a splash.",
    # cooking
    "A cook slices onions on a wooden board, scrapes them into a hot pan and stirs while steam rises. He adds chopped "
    "tomatoes, salt and a handful of basil, and shakes the pan until the sauce thickens.",
    "Hands knead dough on a floured table, fold it over, turn it and press it flat again, then cut it into six pieces.",
    "Melted chocolate is poured over a row of strawberries on a rack, and the drops that fall through are scraped up.",
    # interviews, signs, speech
    'A woman in a green coat stands by a sign that reads "FRAME 3: NO ENTRY" and talks to a man with a microphone. She '
    "points at the gate behind her, which opens slowly.",
    'The man shakes his head and says, "I can\'t see it from here," then climbs onto a crate and looks over the wall.',
    "An old fisherman laughs and says 'I'm sorry, I can't help you with that' before he turns back to his nets.",
    "“Here is the first image of the comet,” the presenter says, and the audience in the hall begins to clap.",
    'A shop window carries the words "Caption: Sold Out" in red paint, and a boy presses his nose to the glass.',
    "A road sign in Tokyo shows 出口 and an arrow, and a stream of cars turns off beneath it into a tunnel.",
    # frames, pictures and panels that are really there
    "A carpenter measures a window frame, planes one edge and fits it into the wall of the brick house.",
    "A girl hangs a picture frame on the wall, steps back, tilts her head and straightens it.",
    "Old photographs in wooden frames line the corridor, and a cat walks below them towards the open door.",
    "The optician takes off his glasses, bends the frames gently, and tries them on in front of the mirror.",
    "A tablet on the desk shows a picture of a lighthouse, and a finger swipes to the next image and back.",
    "A small dog enters the frame from the left, sniffs at the hedge in the centre of the frame and runs off.",
    "A mechanic opens the control panel of the lift, pulls out a bundle of cables and tests them one by one.",
    "A frame 3 metres wide is lowered by a crane between two walls while workers guide it with ropes.",
    "The bowler takes four steps, releases the ball and watches it curve into the pins, which all fall.",
    # names and speech in the text
    "Mr. Alvarez and Dr. J. Smith walk down St. James Street, stop at no. 12 and ring the bell.",
    "iPhone in hand, a teenager films the parade from a balcony while confetti drifts down around her.",
    "Golden retriever runs along a sandy beach at sunset, waves breaking behind it, low tracking shot, warm light.",
    "A man in a red jacket skis down a slope between tall trees. A woman follows him and falls in the powder. The man "
    "in a red jacket stops below her, climbs back and reaches out. She laughs, brushes the snow from her face and "
    "takes his hand, and they glide on towards the hut at the edge of the wood.",
]  # fmt: skip

FRAMES, PARTS, EXTRA, REFUSED = "single frames", "parts or captions", "not the caption", "declines"
START, END, QUOTES, AGAIN, LANGUAGE = "beginning is missing", "end is missing", "quotation marks", "say each", "English"

BAD = [
    ("", "empty"),
    (" \n ", "empty"),
    ("...", "empty"),
    ("I'm sorry, but I can't help with identifying people in these pictures.", REFUSED),
    ("I cannot view videos, but I can describe the text you give me.", REFUSED),
    ("As an AI language model, I do not have the ability to watch this footage.", REFUSED),
    ("To name the people at the table would be against my guidelines.", REFUSED),
    ("Unfortunately, I am unable to tell what happens in this clip.", REFUSED),
    ("It is not possible to describe this video because no images were provided.", REFUSED),
    ("Please provide the video frames so that a description of them can be written.", REFUSED),
    ("In the first frame, a man stands at a door. He then walks to the car.", FRAMES),
    ("A man stands at a door in frame 1 and walks to the car in frame 4.", FRAMES),
    ("The second image shows a woman who crosses the road with her dog.", FRAMES),
    ("A dog runs over the lawn, and in the last few frames it lies down in the shade.", FRAMES),
    ("The frames show a sailing boat that leaves the harbour at dawn.", FRAMES),
    ("The sequence of images depicts a boy who builds a tower of bricks.", FRAMES),
    ("A train arrives at the platform. Throughout the frames, people step on and off.", FRAMES),
    ("The grid shows a cook who prepares noodles in a small kitchen.", FRAMES),
    ("A grid of six frames follows a climber up a wall of ice.", FRAMES),
    ("The top left frame has a boat in it, and later the boat reaches the shore.", FRAMES),
    ("A swan swims past the reeds, and in the next panel it spreads its wings.", FRAMES),
    ("The image shows a horse that grazes in front of a red barn.", FRAMES),
    ("The scene changes little from one frame to the next as the bus waits at the stop.", FRAMES),
    ("A goal is scored in the early minutes, based on the provided frames.", FRAMES),
    ("A man pours water into a glass, told frame by frame until it is full.", FRAMES),
    ("A barge moves down the canal; in each frame, it is a little nearer.", FRAMES),
    ("A barge moves down the canal with small changes between frames.", FRAMES),
    ("A boy builds a tower of bricks, as a series of images makes clear.", FRAMES),
    ("A set of eight photos showing a boy who builds a tower of bricks.", FRAMES),
    ("The tower of bricks falls in panel 5, and the boy starts to laugh.", FRAMES),
    ("A boy seems to enjoy his game, based on these images.", FRAMES),
    ("The hikers reach the lake in part 2 of the video and put up tents.", PARTS),
    ("In the second segment, the hikers reach the lake and put up their tents.", PARTS),
    ("Caption 2 tells how the hikers reach the lake and put up their tents.", PARTS),
    ("The captions describe a group of hikers who reach a lake at dusk.", PARTS),
    ("CAPTION: A kite rises over the dunes and pulls at its string.", EXTRA),
    ("Here is the caption you asked for. A kite rises over the dunes.", EXTRA),
    ("Below is the refined caption. A kite rises over the dunes.", EXTRA),
    ("Here's a description: a kite rises over the dunes and dips again.", EXTRA),
    ("Sure! A kite rises over the dunes and pulls at its string.", EXTRA),
    ("**Refined caption:** A kite rises over the dunes and pulls at its string.", EXTRA),
    ("A **red kite** rises over the dunes and pulls at its string.", EXTRA),
    ("## Kite\nA kite rises over the dunes and pulls at its string.", EXTRA),
    ("```\nA kite rises over the dunes and pulls at its string.\n```", EXTRA),
    ("- A kite rises over the dunes.\n- A boy pulls at its string.", EXTRA),
    ("1. A kite rises over the dunes.\n2. A boy pulls at its string.", EXTRA),
    ('{"caption": "A kite rises over the dunes and pulls at its string."}', EXTRA),
    ("A kite rises over the dunes. Let me know if you want it shorter.", EXTRA),
    ("Camera: the view is low and follows the kite over the dunes.", EXTRA),
    ("A kite <b>rises</b> over the dunes.</p><script>alert(1)</script> It dips.", EXTRA),
    ("A kite <img src='x' onerror='alert(1)'> rises over the dunes and dips.", EXTRA),
    ("A kite rises\x1b[31m over the dunes and pulls at its string.", "control characters"),
    ("A kite rises\x00 over the dunes and pulls at its string.", "control characters"),
    ("walking along the shore, some with dogs, while others sit on the wall.", START),
    (", and then a ferry turns round the lighthouse into the bay.", START),
    ("A ferry turns round the lighthouse into the bay and then it", END),
    ("A ferry turns round the lighthouse into the bay, and its passengers,", END),
    ("A ferry turns round the lighthouse into the bay...", END),
    ('"A ferry turns round the lighthouse into the bay."', QUOTES),
    ("The man walks along the street. A car passes him. The man walks along the street.", AGAIN),
    ("A car drives and drives and drives and drives and drives along the road.", AGAIN),
    ("The sky is blue and the sea is calm, the sky is blue and the boat is slow, the sky is blue and warm.", AGAIN),
    ("A woman with a yellow umbrella walks past the old town hall in the rain. Then a woman with a yellow umbrella "
     "walks past the old town hall and waves.", AGAIN),
    ("Ein Mann läuft mit einem Hund durch den Park und wirft einen Ball auf die Wiese.", LANGUAGE),
    ("Un hombre camina por la playa mientras las olas rompen en la orilla.", LANGUAGE),
    ("Une femme traverse la rue avec son chien et entre dans le magasin.", LANGUAGE),
    ("Мужчина идёт по улице и несёт красный зонт.", LANGUAGE),
    ("一个男人在街上走路。他打着一把红色的伞。", LANGUAGE),
    ("A man walks 他打着一把红色的伞在街上走路然后进了一家商店 at night.", LANGUAGE),
]  # fmt: skip


def problems(text: str) -> list[str]:
    return check(text, least_words=1, most_words=450)


@pytest.mark.parametrize("text", GOOD)
def test_a_good_caption_passes(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_a_bad_caption_is_caught_for_its_reason(text: str, reason: str) -> None:
    found = problems(text)
    assert any(reason in problem for problem in found), found


@pytest.mark.parametrize(("text", "reason"), [bad for bad in BAD if bad[1] in (PARTS, AGAIN, QUOTES, END)])
def test_and_for_no_other(text: str, reason: str) -> None:
    assert len(problems(text)) == 1


@pytest.mark.parametrize(("text", "_"), BAD)
def test_every_problem_says_what_to_do(text: str, _: str) -> None:
    verbs = ("write", "describe", "give", "begin", "end", "say")
    for problem in problems(text):
        assert not problem.endswith(".")  # they are joined into one sentence
        assert any(f"; {verb} " in problem for verb in verbs), problem


def test_words_are_counted() -> None:
    text = "A red car's door opens."
    assert check(text, least_words=5, most_words=5) == []
    assert "at least 6" in check(text, least_words=6, most_words=9)[0]
    assert "at most 4" in check(text, least_words=1, most_words=4)[0]


def test_sentences_are_counted() -> None:
    one = "Mr. J. Smith leaves St. Mary's at 5.30 p.m. and says hello."
    three = 'A door opens. "Who is it?" A man calls! Nobody answers.'
    bounds = {"least_words": 1, "most_words": 99}
    assert check(one, **bounds, most_sentences=1) == []
    assert check(three, **bounds, least_sentences=4) == []
    assert "at least 5" in check(three, **bounds, least_sentences=5)[0]
    assert "write 1" in check(three, **bounds, most_sentences=1)[0]


@pytest.mark.parametrize(
    "text", ["a" + "!" * 10**6, ". " * 10**6 + "x", "a." + " " * 10**6 + "b", "a```" * 10**6, "a" * 10**6]
)
def test_a_text_of_any_length_is_checked_soon(text: str) -> None:
    """Patterns would take hours on these, so this test ends or it doesn't."""
    assert "at most 100 words" in check(text, least_words=10, most_words=100)[0]


def test_the_prefix_is_asked_for_and_taken_off() -> None:
    text = "CAPTION: A kite rises over the dunes."
    assert check_prefixed(text, least_words=3, most_words=20) == []
    assert without_prefix(text) == "A kite rises over the dunes."
    assert "CAPTION:" in check_prefixed(without_prefix(text), least_words=3, most_words=20)[0]
    assert "not the caption" in check_prefixed("CAPTION: Caption: A kite rises.", least_words=3, most_words=20)[0]
    assert "empty" in check_prefixed("CAPTION:", least_words=3, most_words=20)[0]
    assert without_prefix("A kite rises. CAPTION: no.") == "A kite rises. CAPTION: no."


@given(st.text(max_size=400))
def test_any_text_can_be_checked(text: str) -> None:
    assert problems(text) == problems(text)
    if not text.strip():
        assert problems(text)
