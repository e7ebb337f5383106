"""What is wrong with a text that should be a caption, in words that tell a model what to do better.

Only the text is looked at: whether it is true of the clip is not known here. What stands in quotation marks is what
somebody in the video says or what a sign reads, so wording, refusals and language are judged without it.
"""

import re
from collections import Counter

from longtake.captions._windows import Window
from longtake.facts import Facts, contradictions

PREFIX = re.compile(r"\s*caption:\s*", re.IGNORECASE)
WORD = re.compile(r"\w+(?:['’-]\w+)*")
QUOTED = re.compile(r"\"[^\"\n]{1,300}\"|“[^”\n]{1,300}”|(?<!\w)['‘](?:[^'’\n]|['’](?=\w)){1,300}['’](?!\w)")
STOP = re.compile(
    r"(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bvs)(?<!\bNo)(?<!\b[A-Z])[.!?]+[\"”'’)]*\s+(?=\W*[A-Z0-9])"
)
"""Between two sentences: not after a title or an initial."""


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE | re.MULTILINE)


REFUSAL = _any_of(
    r"\bI(?:['’]m| am) (?:sorry|unable|not able)\b|\bI (?:must decline|apologi[sz]e)\b|\bmy apologies\b",
    r"\bI (?:can(?:no|['’])t|can not|could(?:n['’]t| not)|do(?:n['’]t| not)|won['’]t) (?:\w+ )?"
    r"(?:see|view|access|provide|describe|assist|help|identify|watch|determine|comply|generate|create|have access)\b",
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)(?:,| (?:assistant|model|system|language|I)\b)",
    r"\b(?:unable|not able|not possible) to \w+ (?:the |this |these |any |your )?"
    r"(?:images?|pictures?|videos?|content|footage|requests?)\b",
    r"\bno (?:images?|videos?|pictures?|frames?|captions?) (?:was|were|is|are|has been|have been) "
    r"(?:provided|attached|given|uploaded)\b",
    r"\bplease (?:provide|upload|share|attach|send) (?:\w+ ){0,3}"
    r"(?:images?|videos?|frames?|pictures?|files?|captions?|descriptions?|details?)\b",
    r"\bagainst (?:my|our) (?:guidelines|polic(?:y|ies))\b",
)
_PLACE = r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|final)"
_ORDINAL = rf"(?:{_PLACE}|initial|opening|closing|next|following|previous|subsequent|earlier|later|middle)"
_SPELLED = r"(?:one|two|three|four|five|six|seven|eight|nine|ten)"
_NUMBER = rf"(?:\d+|{_SPELLED})"
_PICTURE = r"(?:image|picture|photo|photograph|screenshot|snapshot)"
_SHOWS = r"(?:shows?|depicts?|captures?|illustrates?|portrays?)"
_CORNER = r"(?:top|bottom|upper|lower)[- ](?:left|right|middle|center|centre)"
FRAMES = _any_of(
    rf"\b(?:the|in|from|by|at) (?:very )?{_ORDINAL} (?:few |two |three |four |several )?frames?\b",
    r"\bframes? (?:number |no\. ?|#)?\d+\b(?! ?(?:m|cm|mm|met(?:re|er)s?|feet|foot|inch(?:es)?)\b)",
    rf"\b(?:in|from|by) frame {_SPELLED}\b|\bframe[- ](?:by|to)[- ]frame\b|\b(?:video|still|provided|given) frames\b",
    r"\b(?:in|for) (?:each|every|all|these|some)(?: of the| the)? frames?\b",
    rf"\b(?:each|every|the|this|these|all|{_NUMBER}) (?:video |still )?frames? {_SHOWS}\b",
    r"\b(?:across|throughout|over|between) (?:all |consecutive |successive |these )?frames\b",
    r"\b(?:across|throughout|within) (?:all )?(?:of )?the frames\b|\bframes provided\b",
    r"\bone frame to (?:the next|another)\b",
    r"\b(?:sequence|series|progression|set|montage|collage|grid) of (?:\w+ )?(?:frames|stills|still images)\b",
    rf"\b(?:sequence|series|grid of {_NUMBER}|set of {_NUMBER}) (?:of )?(?:images|snapshots)\b",
    rf"\b(?:sequence|series|set|collage) of (?:\w+ )?{_PICTURE}s (?:that )?(?:{_SHOWS}|showing|depicting|capturing)\b",
    rf"\bthe {_PLACE} image\b|\bin the {_ORDINAL} {_PICTURE}\b|\bthe {_ORDINAL} (?:{_PICTURE}|still) {_SHOWS}\b",
    rf"\b(?:the|this|each|these) {_PICTURE}s? {_SHOWS}\b|(?:^|[.!?] )In (?:the|this|these) {_PICTURE}s?\b",
    rf"\b(?:image|frame) grid\b|\b(?:the|this) grid {_SHOWS}\b|(?:^|[.!?] )In (?:the|this) grid\b",
    rf"\b(?:in|from|by) the {_ORDINAL} (?:panel|cell|tile)\b|\b(?:each|the {_ORDINAL}) (?:panel|cell) {_SHOWS}\b",
    rf"\bin the {_CORNER} (?:panel|cell|tile)\b|\b{_CORNER} (?:frame|image|still)\b",
    rf"\b{_ORDINAL} row of (?:the grid|frames|{_PICTURE}s)\b|\bpanels? (?:{_NUMBER}|of the grid)\b",
    r"\bbased on (?:the|these) (?:\w+ )?(?:frames|images|pictures|captions?|descriptions?)\b",
)
"""How a model tells of its pictures instead of the video. A dog that enters the frame, a window frame, a grid of
streets and a picture on the wall are none of it."""
PARTS = _any_of(
    rf"\b(?:in|during|by) the {_ORDINAL} (?:video )?(?:segment|caption)\b",
    rf"\bthe {_ORDINAL} (?:segment|caption) {_SHOWS}\b|\b(?:segment|caption) {_NUMBER}\b",
    rf"\b(?:video|consecutive) segments\b|\bpart {_NUMBER} of (?:{_NUMBER}|the video)\b",
    r"\b(?:the|this|these) captions? (?:describe|mention)s?\b",
)
LEFTOVER = _any_of(
    r"\A\s*(?:sure|certainly|of course|absolutely|okay|ok|great)(?: thing)?\s*[!,.:]",
    r"\A\s*here(?:['’]s| is| are)\b",
    r"\A\s*below is (?:the|a|my) (?:\w+ )?(?:caption|description)\b",
    r"^\W{0,4}(?:(?:the|final|refined|rewritten|revised|raw|short|dense|detailed|video|camera|style|background|main"
    r"|object|text)\s+){0,3}(?:caption|description|answer|output|response|summary|prompt)s?\s*\d*\W{0,2}:",
    r"^\W{0,4}(?:main (?:objects?|actions?|events?)|background|camera(?: movement)?|style|setting|title|overview)"
    r"\W{0,2}:",
    r"\blet me know if\b|\bI hope (?:this|that) helps\b|\bfeel free to\b|\bword count\b|^\W?note:",
    r"```|\*\*|^#{1,6}\s|^\s*[-*•]\s|^\s*\d{1,2}[.)]\s|</?think>|<\|",
    r"\A\s*[{\[]",
    r"</?[a-z][^<>\n]{0,200}>",
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""No tab and no line break."""
LONGEST_WORD = 15
"""Characters a word, with what stands beside it: a text of more is too long, whatever it says."""
LOOP = re.compile(r"\b(\w+(?:\W+\w+){0,3})(?:\W+\1\b){3}", re.IGNORECASE)
"""One to four words, four times in a row."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ENGLISH = _set(
    "the an of and on are with to at by from his her its their it he she they while into over through across then there"
    " this that who which up down near behind along around under between"
)
SHARED = _set("a as in is")
"""Little words of English and of others too."""
OTHERS = _set(
    "der das und ist ein eine einen mit auf dem im von zu nicht sich le les des et est une dans sur avec qui du au un"
    " el los las y es en por para que del se una il lo gli di che sono nel della o e os um uma com em na da pela het"
    " een op och att som på är w się jest ve bir"
)
"""Little words of German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Polish and Turkish."""


def check(
    text: str, *, least_words: int, most_words: int, least_sentences: int = 1, most_sentences: int | None = None
) -> list[str]:
    """Return what is wrong with a caption in words that a model can act on; nothing for a sound one."""
    text = text.strip()
    if not WORD.search(text):
        return ["it is empty; write the caption"]
    if len(text) > LONGEST_WORD * most_words:  # servers may not hold to the limit; patterns take long on such a text
        return [f"it has {len(text)} characters; write at most {most_words} words"]
    if CONTROL.search(text):
        return ["it holds control characters; give plain text"]
    said = QUOTED.sub('"…"', text)
    return [
        *_wording(said),
        *_ends(text),
        *_repeats(said),
        *_language(said),
        *_length(text, least_words, most_words, least_sentences, most_sentences),
    ]


def check_prefixed(text: str, *, least_words: int, most_words: int) -> list[str]:
    """Check a caption that has to begin with `CAPTION:`."""
    if not PREFIX.match(text):
        return ["begin with CAPTION: and then give the caption and nothing else"]
    return check(without_prefix(text), least_words=least_words, most_words=most_words)


def without_prefix(text: str) -> str:
    """Return a caption without the `CAPTION:` it begins with."""
    return PREFIX.sub("", text.strip(), count=1) if PREFIX.match(text) else text.strip()


def contradicted(text: str, facts: Facts | None, window: Window) -> list[str]:
    """Return what a caption says against what was measured of its part of the clip."""
    return [] if facts is None else contradictions(text, facts, window.start_s, window.end_s)


def _wording(said: str) -> list[str]:
    """Find refusals, talk of frames or parts, and what isn't the caption."""
    if found := REFUSAL.search(said):
        return [f"it declines ({_cite(found)}); describe what can be seen, in plain sentences"]
    problems = []
    if found := FRAMES.search(said):
        problems.append(
            f"it tells of single frames or pictures ({_cite(found)}); describe the video as one, and don't mention "
            "frames, images, panels or a grid"
        )
    if found := PARTS.search(said):
        problems.append(f"it tells of parts or captions ({_cite(found)}); write about the video, as one")
    if found := LEFTOVER.search(said):
        problems.append(
            f"it holds what is not the caption ({_cite(found)}); give the caption alone, as plain sentences without "
            "label, list or markup"
        )
    return problems


def _ends(text: str) -> list[str]:
    """Find a start or an end that was cut off. A small letter may start a name such as iPhone."""
    problems = []
    first, second = text[0], text[1:2]
    if (first.islower() and not second.isupper()) or not (first.isalnum() or first in "\"'“‘([{*#`"):
        problems.append(f"its beginning is missing (it starts with {_words(text, 3)!r}); begin with a whole sentence")
    bare = text.rstrip("\"'”’)]*` ")
    if not bare.endswith((".", "!", "?", "。")) or bare.endswith("..."):
        problems.append(f"its end is missing (it stops at {_words(text, -3)!r}); end with a whole sentence")
    if text[0] + text[-1] in ('""', "“”") and text.count('"') + text.count("“") + text.count("”") == 2:
        problems.append("it stands in quotation marks; give the caption without them")
    return problems


def _repeats(said: str) -> list[str]:
    """Find a sentence said twice, twelve words said twice, a loop, and a text made of the same few words.

    Naming someone again in the same words is no fault: phrases of four words that come three times or more have to
    fill a quarter of the text.
    """
    sentences = Counter(tuple(WORD.findall(one.lower())) for one in STOP.split(said))
    for one, times in sentences.items():
        if times > 1 and len(one) >= 4:
            return [f"it says the same sentence {times} times ({' '.join(one)!r}); say each thing once"]
    if found := LOOP.search(said):
        return [f"it repeats itself ({found[1]!r} again and again); say each thing once"]
    words = WORD.findall(said.lower())
    for length, least_times, least_share in ((12, 2, 0.0), (4, 3, 0.25)):
        places: dict[tuple[str, ...], list[int]] = {}
        for i in range(len(words) - length + 1):
            places.setdefault(tuple(words[i : i + length]), []).append(i)
        often = {phrase: at for phrase, at in places.items() if len(at) >= least_times}
        filled = {i + j for at in often.values() for i in at for j in range(length)}
        if often and len(filled) >= least_share * len(words):
            most = max(often, key=lambda phrase: len(often[phrase]))
            return [f"it repeats itself ({' '.join(most)!r}); say each thing once"]
    return []


def _language(said: str) -> list[str]:
    """Find a text that is not English, by its letters and its little words.

    Cheap and meant for whole answers in another language: a few foreign words or names pass, and so does a short text
    in a language whose little words aren't known here.
    """
    letters = [c for c in said if c.isalpha()]
    ascii_letters = sum(c.isascii() for c in letters)
    words = WORD.findall(said.lower())
    english, others, shared = (sum(word in common for word in words) for common in (ENGLISH, OTHERS, SHARED))
    strange = len(letters) > 0 and ascii_letters < 0.8 * len(letters)
    if strange or (others >= 3 and others > english) or (len(words) >= 20 and english + shared < 0.05 * len(words)):
        return ["it is not in plain English; write it in English sentences"]
    return []


def _length(text: str, least: int, most: int, least_sentences: int, most_sentences: int | None) -> list[str]:
    count, sentences = len(WORD.findall(text)), len(STOP.split(text))
    if count < least:
        return [f"it has {count} words; write at least {least}"]
    if count > most:
        return [f"it has {count} words; write at most {most}"]
    if sentences < least_sentences:
        return [f"it has fewer than {least_sentences} sentences; write at least {least_sentences}"]
    if most_sentences is not None and sentences > most_sentences:
        return [f"it has {sentences} sentences; write {most_sentences}"]
    return []


def _cite(found: re.Match[str]) -> str:
    return repr(" ".join(found[0].split()))


def _words(text: str, count: int) -> str:
    """Return the first words of a text, or for a negative count the last."""
    words = text.split()
    return " ".join(words[:count] if count > 0 else words[count:])
