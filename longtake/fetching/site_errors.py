"""What yt-dlp and the sites behind it say when a video doesn't come, turned into our states and one plain line.

They say it in English sentences only, so that is what is read here; classes and HTTP statuses decide the rest.
"""

import re

from longtake.ask.faults import retry_after_s
from longtake.fetching.addresses import shown
from longtake.fetching.states import FetchError, State, printable

RATE_LIMITED_S = 3600.0
"""How long YouTube leaves a session alone that asked too often: "up to an hour"."""

CLASSES: dict[str, State] = {
    "GeoRestrictedError": "geo",
    "UnsupportedError": "no_format",
    "UserNotLive": "no_format",
    "CertificateVerifyError": "refused",
}
"""yt-dlp's errors whose class says all."""

SAID: tuple[tuple[State, tuple[str, ...]], ...] = (
    ("geo", ("in your country", "from your location", "in your region", "geo restriction", "geo-restrict")),
    ("bot_check", ("not a bot", "captcha", "anti-bot", "unusual traffic", "your ip address")),
    ("throttled", ("rate-limit", "rate limit", "too many requests", "try again later", "rejected by server")),
    ("age", ("confirm your age", "age-restricted", "age restricted", "inappropriate for some", "nsfw")),
    ("private", ("private video", "video is private", "granted access", "members-only", "channel's members")),
    ("private", ("registered users", "requires payment", "premium members", "password")),
    ("private", ("disabled by the video owner", "google workspace", "sign in", "log in", "logged in", "--cookies")),
    ("no_format", ("drm protected", "premieres in", "will begin", "no video formats", "no video could be found")),
    ("no_format", ("requested format is not available", "not a valid url", "incomplete youtube id")),
    ("no_format", ("skipped for safety", "ffmpeg is not installed", "ffmpeg could not be found")),
    ("gone", ("video unavailable", "been removed", "been deleted", "been terminated", "no longer available")),
    ("gone", ("copyright", "does not exist", "video is not available", "video is unavailable", "isn't available")),
    ("gone", ("recording is not available", "has ended")),
    ("network", ("needs to be reloaded", "failed to extract any player response", "unable to continue")),
    ("network", ("too short", "did not get any data", "timed out", "bytes read", "an error occurred")),
)
"""Phrases and what they mean; the first row with one of them counts: "Video unavailable. This video is private"."""

STATUSES: dict[int, State] = {
    401: "private",
    402: "private",
    403: "private",
    404: "gone",
    410: "gone",
    429: "throttled",
    451: "geo",
    503: "throttled",
}

ADVICE: dict[State, str] = {
    "age": "cookies of an account that has shown its age would help",
    "bot_check": "give cookies of a browser that is signed in, or wait",
    "geo": "a proxy in another country would help",
    "private": "cookies of an account that may see it would help",
}

MEDIA = ("unable to download video data", "[download] got error")
"""What yt-dlp says when the page came and the file itself, or a piece of it, did not."""
_URL = re.compile(r"\w+://\S+")
_COLOURS = re.compile(r"\x1b\[[\d;]*m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
_HEAD = re.compile(r"^(?:ERROR:\s*)?(?:\[download\] Got error: |\[[\w:.+-]+\] (?:[\w-]+: )?)?")
_TAIL = re.compile(
    r"[.;]? *(?:\(caused by|please report this issue|Use --|You might want to|It is recommended|Also see|"
    r"Giving up after|This helps protect our community|Aborting due to).*",
    re.DOTALL,
)


def state_of(message: str, cause: BaseException | None = None) -> State:
    """Say which state a message of yt-dlp and the error below it, if any, come to."""
    classes = [kind.__name__ for kind in type(cause).__mro__]
    for name in classes:
        if name in CLASSES:
            return CLASSES[name]
    # An address may hold any word, and YouTube writes both kinds of apostrophe.
    text = _URL.sub("", message).replace("’", "'").lower()
    for state, phrases in SAID:
        if any(phrase in text for phrase in phrases):
            return state
    status = getattr(cause, "status", None) or _status_in(text)
    if status == 403 and any(phrase in text for phrase in MEDIA):
        return "throttled"  # YouTube gives pages to all, and files only to clients that it trusts at the moment.
    if status:
        return STATUSES.get(status, "network" if status >= 500 or status == 408 else "other")
    return "network" if {"TransportError", "ContentTooShortError"} & set(classes) else "other"


def fetch_error(message: str, cause: BaseException | None = None) -> FetchError:
    """Make our error of yt-dlp's: its state, one line without yt-dlp's own advice, and ours."""
    state = state_of(message, cause)
    line = plain(message)
    if state == "throttled" and "HTTP Error 403" in line:
        line += ": the page came and the file is refused; update yt-dlp, give cookies, or wait"
    elif advice := ADVICE.get(state):
        line += f"; {advice}"
    return FetchError(state, line, retry_after_s=_peace_s(message, cause))


def plain(message: str) -> str:
    """Return a message of yt-dlp as one line, without colours, the video's id, keys, and advice on its own options."""
    text = _TAIL.sub("", _HEAD.sub("", _COLOURS.sub("", message).strip()))
    text = _URL.sub(lambda found: shown(found[0]), text)
    return printable(" ".join(text.split())).removesuffix(".") or "no reason was given"


def _status_in(text: str) -> int | None:
    """Return the HTTP status that a message names."""
    found = re.search(r"http error (\d{3})", text)
    return int(found[1]) if found else None


def _peace_s(message: str, cause: BaseException | None) -> float | None:
    """Return for how many seconds the site wants to be left alone, where it says so."""
    if "rate-limited by youtube" in message.lower():
        return RATE_LIMITED_S
    headers = getattr(getattr(cause, "response", None), "headers", None)
    return None if headers is None else retry_after_s(headers)
