"""A model that tells what it really sees: the numbers that test videos carry, in captions that pass all checks."""

import base64
import json
import re
from typing import Any

import cv2
import numpy as np
from media import read_number

SENTENCES = (
    "A wide textured surface with soft patches of several colours fills the whole view of the camera.",
    "The number {n} stands in one corner and stays easy to read from the start to the end.",
    "The camera keeps the same distance while the pattern slides past at an even speed.",
    "Brighter spots follow darker ones, and each of them leaves the view on the opposite side.",
    "Nobody is to be seen, and no animal or vehicle crosses the scene at any time.",
    "The light is even, as it is on a cloudy day, and casts no hard shadows anywhere.",
    "Fine grain covers the whole area and gives it the look of painted paper.",
)
SHOWN = re.compile(r"number (\d+)")
FIELD_SENTENCES = {"dense_caption": 5, "main_object_caption": 2, "background_caption": 2, "camera_caption": 2}


def first_cell(body: dict[str, Any]) -> int | None:
    """Return the number that the first frame of a request's picture carries, None where it shows no picture."""
    content = body["messages"][0]["content"]
    parts = [] if isinstance(content, str) else [part for part in content if part["type"] == "image_url"]
    if not parts:
        return None
    jpeg = base64.b64decode(parts[0]["image_url"]["url"].partition(",")[2])
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    if (picture[:6] > 250).all():  # a grid has a white border
        picture = picture[8:188, 8:328]
    return read_number(picture)


def words_of(body: dict[str, Any]) -> str:
    """Return all that a request says."""
    said = []
    for message in body["messages"]:
        content = message["content"]
        said += [content] if isinstance(content, str) else [part.get("text", "") for part in content]
    return "\n".join(said)


def tell(body: dict[str, Any]) -> str:
    """Answer any of our captioners' questions."""
    words = words_of(body)
    shown = first_cell(body)
    number = shown if shown is not None else int(SHOWN.search(words)[1])
    story = [sentence.format(n=number) for sentence in SENTENCES]
    if "GOOD, BAD or UNKNOWN" in words:
        return "GOOD"
    if "dense_caption" in words:
        fields = {name: " ".join(story[:count]) for name, count in FIELD_SENTENCES.items()}
        return json.dumps(
            {**fields, "style_caption": "It looks like a calm, realistic recording of a painted surface."}
        )
    if "25 to 45 words" in words:
        return "CAPTION: " + " ".join(story[1:3])
    if "CAPTION:" in words:
        return "CAPTION: " + " ".join(story[:5])
    if "one sentence" in words.lower() and shown is not None and "100 to 250" not in words:
        return story[1]
    return " ".join(story)
