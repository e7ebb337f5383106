"""The models that a recipe names: the tables `[models.NAME]`, checked."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from longtake.ask import ModelSettings
from longtake.errors import UsageError
from longtake.steps import nearest

DEFAULT_MODEL = "default"
"""The model that captioners and judges ask where they name no other."""


def read_models(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, ModelSettings]:
    """Return the models by name; `default` is always one of them, perhaps without a place to ask it."""
    named: dict[str, Mapping[str, Any]] = {DEFAULT_MODEL: {}, **tables}
    return {name: _settings(name, given) for name, given in named.items()}


def _settings(name: str, given: Mapping[str, Any]) -> ModelSettings:
    known = [field.name for field in fields(ModelSettings)]
    for field in given:
        if field not in known:
            raise UsageError(f"[models.{name}] has no parameter {field!r}{nearest(field, known)}")
    plain = ModelSettings()
    if all(repr(value) == repr(getattr(plain, field)) for field, value in given.items()):
        return plain  # nothing is to be checked: most runs name no model, and no worker needs one

    from pydantic import TypeAdapter, ValidationError

    try:
        settings = TypeAdapter(ModelSettings).validate_json(json.dumps(dict(given), default=str), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"[models.{name}] {first['loc'][0]} = {first['input']!r}: {first['msg']}") from error
    for field in ("concurrency", "max_tokens", "tries"):
        if getattr(settings, field) < 1:
            raise UsageError(f"[models.{name}] {field} must be 1 or more")
    for field in ("timeout_s", "temperature", "price_in", "price_out"):
        number = getattr(settings, field)
        if number is not None and not (0 <= number < math.inf and (number or field != "timeout_s")):
            least = "above 0" if field == "timeout_s" else "0 or more"
            raise UsageError(f"[models.{name}] {field} = {number} must be {least}")
    if settings.url and settings.url != "local" and not settings.url.startswith(("http://", "https://")):
        raise UsageError(f"[models.{name}] url {settings.url!r}: write http://HOST:PORT/v1, https://..., or local")
    return settings


def told(settings: ModelSettings) -> dict[str, Any]:
    """Return settings as a TOML table, which has no word for None: such a one is left out."""
    return {name: value for name, value in asdict(settings).items() if value is not None}
