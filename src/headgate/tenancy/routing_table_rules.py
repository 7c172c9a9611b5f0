"""Reads `routing_table` as an administrator writes it, and refuses, by name, what it cannot be."""

from collections.abc import Mapping
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy import rules
from headgate.tenancy.limit_rules import whole
from headgate.tenancy.model_names import model_name
from headgate.tenancy.route_fields import mapping, wrong
from headgate.tenancy.routing_table import COMPLEX, LEVELS, SIMPLE, Document

MOST_TIERS: Final = 50
MOST_KEYWORDS: Final = 200
LONGEST_KEYWORD: Final = 100
LONGEST: Final = 10_000_000
_FIELDS: Final = ("tiers", "default_tier", "complexity")
_COMPLEXITY: Final = ("length", "keywords", "tools", "images")


def routing_document(value: object, param: str = "routing_table") -> Document:
    """The document to store; it takes the place of the one before. None: none.

    A tier may be one model for every call. An unknown field is refused: a misspelt one must not be taken for one that
    is in force.
    """
    if value is None:
        return {}
    fields = mapping(value, param)
    _check(fields, _FIELDS, param)
    found: dict[str, Any] = {}
    if fields.get("tiers") is not None:
        found["tiers"] = _tiers(fields["tiers"], f"{param}.tiers")
    if fields.get("default_tier") is not None:
        found["default_tier"] = rules.name(fields["default_tier"], f"{param}.default_tier")
    if fields.get("complexity") is not None:
        found["complexity"] = _complexity(fields["complexity"], f"{param}.complexity")
    return found


def _tiers(value: object, param: str) -> dict[str, dict[str, str]]:
    tiers = mapping(value, param)
    if not 0 < len(tiers) <= MOST_TIERS:
        raise wrong(param, f"an object with 1 to {MOST_TIERS} tiers")
    return {rules.name(tier, param): _models(models, f"{param}.{tier}"[:200]) for tier, models in tiers.items()}


def _models(value: object, param: str) -> dict[str, str]:
    if isinstance(value, str):
        value = dict.fromkeys(LEVELS, value)
    models = mapping(value, param)
    _check(models, LEVELS, param)
    if not models:
        raise wrong(param, f"a model, or an object with {SIMPLE} and {COMPLEX}")
    found = {level: model_name(models.get(level, next(iter(models.values()))), f"{param}.{level}") for level in LEVELS}
    for level, model in found.items():
        if model.removeprefix("@") == "auto" or "*" in model:
            raise wrong(f"{param}.{level}", "the name of one model")
    return found


def _complexity(value: object, param: str) -> dict[str, Any]:
    fields = mapping(value, param)
    _check(fields, _COMPLEXITY, param)
    found: dict[str, Any] = {}
    if fields.get("length") is not None:
        found["length"] = whole(fields["length"], f"{param}.length", low=0, high=LONGEST)
    if fields.get("keywords") is not None:
        found["keywords"] = _keywords(fields["keywords"], f"{param}.keywords")
    for name in ("tools", "images"):
        if fields.get(name) is not None:
            if not isinstance(fields[name], bool):
                raise wrong(f"{param}.{name}", "true or false")
            found[name] = fields[name]
    return found


def _keywords(value: object, param: str) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_KEYWORDS:
        raise wrong(param, f"a list of at most {MOST_KEYWORDS} words or phrases")
    for index, each in enumerate(value):
        if not isinstance(each, str) or not 0 < len(each.strip()) <= LONGEST_KEYWORD:
            raise wrong(f"{param}[{index}]", f"a string of 1 to {LONGEST_KEYWORD} characters")
    return [each.strip().lower() for each in value]


def _check(fields: Mapping[str, Any], known: tuple[str, ...], param: str) -> None:
    for name in fields:
        if name not in known:
            where = f"{param}.{name}"[:200]
            raise InvalidRequest(f"`{where}` is not known here. Known: {', '.join(known)}.", param=where)
