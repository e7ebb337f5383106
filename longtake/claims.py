"""What a caption says of the camera and the light, as far as it says so beyond doubt. For English.

Precision comes first: what is hedged, denied, or told of a thing in the picture is no claim. So a camera's words are
read one by one, and any that is not known here ends what is told of it.
"""

import re
from collections.abc import Iterator


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


CAMERA = _set("camera shot view viewpoint perspective footage")
OPENERS = _set("the this and as while then single continuous drone handheld aerial entire with")
"""Before `camera`, if anything: the one that films. His camera and a security camera are things in the picture."""
PICTURE = CAMERA | _set("angle frame framing")
STATIC = _set("static stationary motionless unmoving fixed still locked-off locked-down immobile")
SIZES = _set("wide medium close close-up high low high-angle low-angle overhead aerial eye-level single long")
"""Between `static` and `shot`."""
BY_THE_WAY = _set(
    """
    is was remains remain stays stay holds keeps keep appears appear seems to be being remaining staying then also
    first next begins begin starts start continues continue proceeds by and slow smooth steady gentle gradual slight
    the from back toward towards position angle framing work quite very more over a in at with on
    """
)
"""What doesn't end what is told of a camera."""
ENDS_A_WAY = _set("on in at with a")
"""After these `left` is a place and no direction."""
DENIES = _set("no not never without neither nor hardly barely rarely instead rather lacks lacking zero cannot")
PASSING = _set(
    """
    initially start starts starting begin begins beginning first briefly momentarily moment moments then before
    until after later eventually ends ending finally comes pauses sometimes nearly almost if
    """
)
"""What is static and has one of these in its sentence isn't so throughout, or not quite."""
DOES_NOT_MOVE = ("does not move", "doesn't move", "never moves")
CALM = _set("and throughout as while during for with at in")
"""After `the camera is still`, which may go on: still following."""
MOVES = re.compile(
    r"(?:pan|tilt|zoom|doll|track|sweep|orbit|circl|glid|drift|sway|shak|follow|push|pull|cran|swing|rotat|mov|shift|"
    r"travel|approach|retreat|descend|ascend|fl[iy]|slid|turn)\w*"
)
CAMERAWORK = re.compile(r"pans|panning|zoom\w*|handheld|hand-held|dolly|dollies|tilts|tracking|shaky|orbit\w*")
TILT = re.compile(r"(?:pan|tilt|cran|boom)(?:s|e|es|ning|ing|ned|ed)?")
SIDEWAYS = re.compile(
    r"(?:pan|tilt|mov|slid|truck|drift|glid|sweep|swing|rotat|turn|track|travel|shift)(?:s|e|es|ning|ing|ned|ed)?"
)
ZOOM = re.compile(r"(?:zoom|push|doll|pull)(?:s|es|y|ies|ying|ing|ed)?")
WAYS = {
    "left": "pan left",
    "leftward": "pan left",
    "leftwards": "pan left",
    "right": "pan right",
    "rightward": "pan right",
    "rightwards": "pan right",
    "up": "tilt up",
    "upward": "tilt up",
    "upwards": "tilt up",
    "down": "tilt down",
    "downward": "tilt down",
    "downwards": "tilt down",
    "in": "zoom in",
    "closer": "zoom in",
    "forward": "zoom in",
    "forwards": "zoom in",
    "out": "zoom out",
    "backward": "zoom out",
    "backwards": "zoom out",
}
RIGHT_THERE = _set("now after before behind next into in at on through beside above over away up down past")
"""After `right`: it may be no direction."""
NOUNS = _set("slow smooth steady gentle gradual quick slight camera horizontal vertical")
"""Before `pan` or `zoom`: a move of the camera, not a frying pan."""

PLACE = r"(?:scene|setting|room|environment|interior|footage|video|image|picture)"
IS = r"(?:is|remains|appears|stays) (?:\w+ly |very |quite )?"
DARK = re.compile(
    r"\b(?:in (?:\w+ )?darkness|in the dark\b|pitch[- ](?:black|dark)|"
    rf"(?:dark|darkened|dim|dimly[- ]lit|poorly[- ]lit) {PLACE}|"
    rf"{PLACE} {IS}(?:dark|dim|dimly lit|poorly lit)\b|night-?time {PLACE})"
)
BRIGHT = re.compile(
    r"\b(?:(?:bright|broad) daylight|bright(?:ly)? sun(?:light|shine|lit|ny)?\b|sun-?drenched|sunny day|"
    rf"sunlit {PLACE}|(?:bright|brightly[- ]lit) {PLACE}|{PLACE} {IS}(?:bright|brightly lit|sunlit)\b|bright and airy)"
)


def camera_claims(text: str) -> set[str]:
    """Return the kinds of `longtake.moves.Move` that a text says the camera makes, `static` only if nothing else."""
    ways: set[str] = set()
    static = moves = False
    for words in _sentences(text):
        lasting = not PASSING.intersection(words)
        for at, word in enumerate(words):
            if _films(words, at):
                ways.update(_ways(words, at + 1, ""))
                moves = moves or _moves(words, at + 1)
                static = static or (lasting and _stays(words, at + 1))
            elif _names_move(words, at):
                ways.update(_ways(words, at + 1, word))
            static = static or (lasting and word in PICTURE and _called_static(words, at))
            moves = moves or (bool(CAMERAWORK.fullmatch(word)) and not _denied(words, at, len(words)))
    return ways if ways else {"static"} if static and not moves else set()


def light_claims(text: str) -> set[str]:
    """Return `dark`, `bright` or both: what a text says of the light of the whole picture."""
    found = set()
    for words in _sentences(text):
        sentence = " ".join(words)
        for word, pattern in (("dark", DARK), ("bright", BRIGHT)):
            starts = [len(sentence[: match.start()].split()) for match in pattern.finditer(sentence)]
            if any(not _denied(words, start, 4) for start in starts):
                found.add(word)
    return found


def _sentences(text: str) -> Iterator[list[str]]:
    """Yield the words of each sentence in lower case."""
    for sentence in re.split(r"[.;:!?\n]+", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")):
        words = re.findall(r"[a-z][a-z'-]*", sentence)
        if words:
            yield words


def _denied(words: list[str], at: int, reach: int) -> bool:
    """Whether one of so many words before says that it isn't so."""
    before = words[max(0, at - reach) : at]
    return bool(DENIES.intersection(before)) or any(word.endswith("n't") for word in before)


def _films(words: list[str], at: int) -> bool:
    """Whether this is the camera that films."""
    return words[at] in CAMERA and (at == 0 or words[at - 1] in OPENERS)


def _names_move(words: list[str], at: int) -> bool:
    """Whether a move is named without its camera: a slow pan, or `Panning` where a sentence begins."""
    if at == 0:
        return words[0] == "panning"
    return words[at] in ("pan", "panning", "tilt", "zoom") and words[at - 1] in NOUNS


def _moves(words: list[str], at: int) -> bool:
    """Whether a camera moves, of which is told from `at` on."""
    for word in words[at:]:
        if MOVES.fullmatch(word):
            return True
        if not _by_the_way(word):
            return False
    return False


def _ways(words: list[str], at: int, verb: str) -> Iterator[str]:
    """Yield the ways a camera goes, of which is told from `at` on, after a verb or before one."""
    if _denied(words, at, 4):
        return
    last = ""
    for i in range(at, len(words)):
        word, after = words[i], words[i + 1 : i + 4]
        if MOVES.fullmatch(word):
            verb = word
        elif way := _way(word, verb, after):
            # From left to right is right.
            if last != "from" and not (after[:1] == ["to"] and {"left", "right"}.intersection(after[1:])):
                yield way
        elif word in ENDS_A_WAY:
            verb = ""
        elif not _by_the_way(word):
            return
        last = last if word == "the" else word


def _by_the_way(word: str) -> bool:
    """Whether a word lets what is told of a camera go on."""
    return word in BY_THE_WAY or word in STATIC or word in WAYS or word.endswith("ly") or bool(MOVES.fullmatch(word))


def _way(word: str, verb: str, after: list[str]) -> str:
    """Return the kind of move that a verb and its direction are, empty for none."""
    way = WAYS.get(word, "")
    if after[:1] == ["around"]:  # who goes left around a thing turns right
        return ""
    if verb.startswith("pull"):
        return "zoom out" if word in ("back", "out", "away") else ""
    if way.startswith("zoom"):
        return way if ZOOM.fullmatch(verb) or (word not in ("in", "out") and SIDEWAYS.fullmatch(verb)) else ""
    if way.startswith("tilt"):
        return way if TILT.fullmatch(verb) or (word not in ("up", "down") and SIDEWAYS.fullmatch(verb)) else ""
    if word == "right" and RIGHT_THERE.intersection(after[:1]):
        return ""
    return way if SIDEWAYS.fullmatch(verb) else ""


def _stays(words: list[str], at: int) -> bool:
    """Whether a camera, of which is told from `at` on, is said to be static."""
    said = ""
    for i in range(at, len(words)):
        word, after = words[i], words[i + 1 : i + 2]
        if word in STATIC and said:
            if word == "still" and after:
                return after[0] in CALM
            return after != ["on"] and after != ["to"]
        if " ".join(words[i:]).startswith(DOES_NOT_MOVE):
            return True
        if not (word in BY_THE_WAY or word.endswith("ly")):
            return False
        said = word
    return False


def _called_static(words: list[str], at: int) -> bool:
    """Whether this is a static shot, or without camera movement."""
    if words[at] == "camera" and words[at + 1 : at + 2] in (["movement"], ["motion"], ["movements"]):
        return bool({"no", "without", "zero"}.intersection(words[max(0, at - 3) : at]))
    before = at - 1
    while before > 0 and words[before] in SIZES:
        before -= 1
    called = before >= 0 and words[before] in STATIC and not (words[before] == "still" and words[at] != "shot")
    return called and not _denied(words, before, 4)
