"""The form of an answer: asked for in words and as a JSON schema, and read from whatever a model made of it."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # whoever has a form has loaded it; a run without models does without
    from pydantic import BaseModel, ValidationError

THOUGHT = re.compile(r"^.*</think>|<think>.*?(?:</think>|$)", re.DOTALL)
"""A model's thoughts. Chat templates may open the block themselves, and a cut-off answer leaves it open."""
FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
LAYERS = 4
"""Fences and quotes around one another that are taken off."""
QUOTES = ('""', "''", "“”", "‘’", "«»", "``")
TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
DECODER = json.JSONDecoder(strict=False)
"""Not strict: models write raw line breaks into strings."""
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}
PROBLEMS = 5
"""Problems of an answer that are named; a model that made more mends these first."""


def answer_text(text: str) -> str:
    """Return the text a model means: without thoughts, and without a fence, quotes or white space around it."""
    text = THOUGHT.sub("", text).strip()
    for _ in range(LAYERS):
        inside = FENCE.fullmatch(text)
        if inside:
            bare = inside[1].strip()
        elif text[:1] + text[-1:] in QUOTES and len(text) > 1 and not set(text[1:-1]) & {text[0], text[-1]}:
            bare = text[1:-1].strip()
        else:
            break
        text = bare
    return text


def read_answer(text: str, schema: "type[BaseModel]") -> "BaseModel":
    """Return the first JSON object in a text that has the form of `schema`, whatever stands around it.

    Raises `ValueError` with words that tell the model what to do better.
    """
    from pydantic import ValidationError

    text = THOUGHT.sub("", text)
    if "{" not in text:
        raise ValueError("there is no JSON object in the answer; give one JSON object and nothing else")
    wrong: dict[int, str] = {}
    for length, value in objects(text):
        try:
            return schema.model_validate(value)
        except ValidationError as error:
            # The longest object is the one that was meant; the others are parts of it, or stand in the prose.
            wrong.setdefault(length, in_words(error))
    if wrong:
        raise ValueError(wrong[max(wrong)])
    raise ValueError("the JSON object is not complete or not valid; give one whole JSON object and nothing else")


def objects(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield length and value of every JSON object in a text, those inside others too; a trailing comma is forgiven."""
    mended = TRAILING_COMMA.sub(r"\1", text)
    for source in (text,) if mended == text else (text, mended):
        for start in re.finditer(r"\{", source):
            try:
                value, end = DECODER.raw_decode(source, start.start())
                value = json.loads(whole_characters(json.dumps(value, ensure_ascii=False)))
            except (ValueError, RecursionError):  # prose in braces, cut off, or a loop of opening brackets
                continue
            yield end - start.start(), value


def whole_characters(text: str) -> str:
    """Return a text that any file or table can hold.

    JSON can carry half a surrogate pair, where a token ended inside a character; nothing else can.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def one_line(text: str) -> str:
    """Return a server's words on one line and without control characters, for they may be shown on a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def in_words(error: "ValidationError") -> str:
    """Return what is wrong with an answer's fields."""
    found = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False)[:PROBLEMS]:
        field = "the field " + repr(".".join(map(str, problem["loc"]))) if problem["loc"] else "the answer"
        if problem["type"] == "missing":
            found.append(f"{field} is missing")
        elif problem["type"] == "extra_forbidden":
            found.append(f"{field} was not asked for")
        elif problem["msg"].startswith("Input should "):
            found.append(field + problem["msg"].removeprefix("Input"))
        else:
            found.append(f"{field}: {problem['msg']}")
    return "; ".join(found)


def form_in_words(schema: "type[BaseModel]") -> str:
    """Return the sentences that ask for an answer of this form: names, types and descriptions of its fields."""
    whole = schema.model_json_schema()
    lines = ["Answer with one JSON object and nothing else. Its fields:"]
    for name, field in whole.get("properties", {}).items():
        about = f": {field['description']}" if "description" in field else ""
        lines.append(f'- "{name}" ({type_in_words(field, whole.get("$defs", {}))}){about}')
    return "\n".join(lines)


def type_in_words(node: dict[str, Any], defs: dict[str, dict[str, Any]]) -> str:
    """Return a JSON schema's type as a model may be told it."""
    if "$ref" in node:
        return type_in_words(defs[node["$ref"].rpartition("/")[2]], defs)
    if "const" in node:
        return json.dumps(node["const"])
    if "enum" in node:
        return "one of " + ", ".join(map(json.dumps, node["enum"]))
    if "anyOf" in node:
        return " or ".join(type_in_words(choice, defs) for choice in node["anyOf"])
    if node.get("type") == "array":
        return "list, each " + type_in_words(node.get("items", {}), defs)
    if "properties" in node:
        fields = (f'"{name}" ({type_in_words(field, defs)})' for name, field in node["properties"].items())
        return "object with " + ", ".join(fields)
    return TYPES.get(str(node.get("type")), "any value")


def strict_schema(schema: "type[BaseModel]") -> dict[str, Any]:
    """Return the JSON schema in the form servers can hold a model to: every field required, no others allowed."""
    strict: dict[str, Any] = strictly(schema.model_json_schema())
    return strict


def strictly(node: Any) -> Any:
    """Close every object in a part of a JSON schema, and drop defaults: a required field has no use for them."""
    if isinstance(node, list):
        return [strictly(part) for part in node]
    if not isinstance(node, dict):
        return node
    closed = {
        # A field may itself be called "default": names of fields are no keywords.
        key: {name: strictly(part) for name, part in value.items()}
        if key in ("properties", "$defs")
        else strictly(value)
        for key, value in node.items()
        if key != "default"
    }
    if "properties" in closed:
        closed |= {"additionalProperties": False, "required": list(closed["properties"])}
    return closed
