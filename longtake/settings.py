"""Recipes as plain data: the one a set keeps, and settings given by hand, as `clips.trim_s=0.2`, laid over one."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from longtake.errors import SetError, UsageError
from longtake.places import Place, write_whole

WORDS = {"True": "true", "False": "false"}
LINKS = ("model", "caption")
"""What a table of a recipe says besides a step and its parameters: it holds for another step, too."""
DEFAULT_GROUNDING = "internvid_g"
RECIPE = "recipe.toml"
"""The recipe of a set, as resolved."""
ABOUT = "set.toml"
"""What a set says of itself: its format."""
FORMAT = 1
"""Of sets as this program writes them. It grows where older programs would misread a set, not with every new column:
a column that a set lacks is null. Sets from before there was a number are of format 1."""


def read_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Return settings such as `clips.trim_s=0.2` as nested tables; a value is read as TOML, else taken as text."""
    data: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        *path, name = key.strip().split(".")
        if not equals or not name:
            raise UsageError(f"{setting!r} is no setting; write NAME=VALUE, as in clips.trim_s=0.2")
        try:
            value = tomllib.loads(f"value = {WORDS.get(text, text)}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        table = data
        for part in path:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise UsageError(f"{setting!r}: {part} was set to {table!r} before, which holds no parameters")
        table[name] = value
    return data


def read_mapping(texts: Sequence[str]) -> dict[str, str]:
    """Return columns by what they hold: `url=link,start=from` twice or in one. Raises `UsageError`."""
    mapping: dict[str, str] = {}
    for part in (part for text in texts for part in text.split(",")):
        name, equals, column = part.partition("=")
        if not (name.strip() and equals and column.strip()):
            raise UsageError(f"--map {part!r}: write NAME=COLUMN, as in url=link,start=from,end=to,caption=text")
        mapping[name.strip()] = column.strip()
    return mapping


def read_extractor_args(texts: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Return arguments for sites, written as yt-dlp has them: `youtube:player_client=web,tv`. Raises `UsageError`."""
    found: dict[str, dict[str, list[str]]] = {}
    for text in texts:
        site, colon, rest = text.partition(":")
        name, equals, values = rest.partition("=")
        if not (site and colon and name and equals):
            raise UsageError(f"--extractor-args {text!r}: write SITE:NAME=VALUE, as in youtube:player_client=web")
        found.setdefault(site, {})[name] = values.split(",")
    return found


def merge(data: dict[str, Any], settings: Mapping[str, Any]) -> None:
    """Lay nested settings over a recipe, in place; of a step that they change, no parameter stays."""
    for name, value in settings.items():
        there = data.get(name)
        if isinstance(value, dict) and isinstance(there, dict):
            step, usual = value.get("step"), DEFAULT_GROUNDING if name == "grounding" else name
            if isinstance(step, str) and step != there.get("step", usual):
                there = data[name] = {link: there[link] for link in LINKS if link in there}
            merge(there, value)
        else:
            data[name] = value


def read_recipe(folder: Place) -> dict[str, Any]:
    """Return a set's recipe as plain data, with the rules it has: perhaps none.

    Raises `SetError` where there is no set, or nobody can read its recipe.
    """
    check_set(folder)
    path = folder / RECIPE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:  # anybody may edit the file
        raise SetError(f"{path} can't be read: {error}") from error
    select = data.setdefault("select", {})
    keep = select.setdefault("keep", []) if isinstance(select, dict) else None
    if not (isinstance(keep, list) and all(isinstance(rule, str) for rule in keep)):
        raise SetError(f"{path} holds no list of rules; write: [select] keep = ['motion.mean >= 0.1']")
    return data


def check_set(folder: Place) -> None:
    """Raise `SetError` where there is no set, or one that a later program made."""
    try:
        there = (folder / RECIPE).is_file()
        number = read_format(folder)
    except OSError as error:  # an object store that says no, or nothing
        raise SetError(str(error)) from error
    if not there:
        raise SetError(f"{folder} is no set: it has no {RECIPE}; make one with: longtake run RECIPE VIDEOS --to SET")
    _check_format(folder, number)


def claim_format(folder: Place) -> None:
    """Say in a set that is about to be written which format it has. Raises `SetError` where it is a later one."""
    number = read_format(folder)
    _check_format(folder, number or FORMAT)
    if number is None:
        write_whole(folder / ABOUT, f"format = {FORMAT}\n".encode())


def read_format(folder: Place) -> int | None:
    """Return a set's format; None for one from before there were numbers, or no set. Raises `SetError`."""
    path = folder / ABOUT
    try:
        number = tomllib.loads(path.read_text(encoding="utf-8")).get("format")
    except FileNotFoundError:
        return None
    except ValueError as error:  # anybody may edit the file
        raise SetError(f"{path} can't be read: {error}; write into it: format = {FORMAT}") from error
    if type(number) is not int or number < 1:  # true is none
        raise SetError(f"{path} names no format; write into it: format = {FORMAT}")
    return number


def _check_format(folder: Place, number: int | None) -> None:
    if number is not None and number > FORMAT:
        raise SetError(
            f"{folder} was made by a later longtake: its format is {number}, and this one knows formats up to "
            f"{FORMAT}; use that longtake, or a later one"
        )
