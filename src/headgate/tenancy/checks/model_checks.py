"""Which models may be called, by the metadata of the call: the guide's model rules.

Models are named as in `tenancy.model_names`: `gpt-4o`, `@openai-prod/gpt-4o`, `gpt-4o*`, `@openai-prod/*`; `*` is all.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate.tenancy.checks.check import ModelCheck, ModelCheckKind, Parameters
from headgate.tenancy.model_names import ModelNames

RULES: Final = ("rules", "model_rules")
"""Names of the parameter, in Portkey's reference and in its guide."""
BY_METADATA: Final = ("metadata", "metadata_routing")
"""Names of its member, likewise."""


def model_whitelist(parameters: Parameters) -> ModelCheck:
    """The model is one of `models`; with `not`, it is none of them. `metadataRules` as in `default.modelRules`, written
    `[{metadataKey, values, models}]`."""
    by_value: dict[tuple[str, str], list[str]] = {}
    for index, rule in enumerate(_list(parameters, "metadataRules")):
        each = Parameters(rule if isinstance(rule, Mapping) else {}, parameters.param(f"metadataRules[{index}]"))
        key, models = each.text("metadataKey"), each.texts("models")
        for value in each.texts("values"):
            by_value.setdefault((key, value), []).extend(models)
    defaults = parameters.texts("models") if "models" in parameters or not by_value else ()
    return _checked(defaults, by_value, parameters.boolean("not"))


def model_rules(parameters: Parameters) -> ModelCheck:
    """`rules`: `{"defaults": [models], "metadata": {key: {value: [models]}}}`. Where the call's metadata has such a
    value, its models take the place of the defaults; of several that match, all models count. With `not` those are
    the models that may not be called."""
    name = next((each for each in RULES if each in parameters), RULES[0])
    found = parameters.value(name)
    if not isinstance(found, Mapping):
        raise parameters.wrong(name, "an object with `defaults`, `metadata` or both")
    rules = Parameters(found, parameters.param(name))
    member = next((each for each in BY_METADATA if each in rules), BY_METADATA[0])
    by_key = rules.value(member)
    if not isinstance(by_key, Mapping | None):
        raise rules.wrong(member, "an object: {key: {value: [models]}}")
    by_value: dict[tuple[str, str], list[str]] = {}
    for key, values in (by_key or {}).items():
        if not isinstance(values, Mapping):
            raise rules.wrong(f"{member}.{key}", "an object: {value: [models]}")
        of_key = Parameters(values, rules.param(f"{member}.{key}"))
        for value in values:
            by_value[key, value] = list(_models(of_key, value))
    defaults = _models(rules, "defaults") if "defaults" in rules else ()
    if not defaults and not by_value:
        raise parameters.wrong(name, "an object with `defaults`, `metadata` or both")
    return _checked(defaults, by_value, parameters.boolean("not"))


MODEL_CHECKS: Final = (
    ModelCheckKind("default.modelRules", model_rules),
    ModelCheckKind("default.modelWhitelist", model_whitelist),
)


def _checked(defaults: Sequence[str], by_value: Mapping[tuple[str, str], Sequence[str]], blocks: bool) -> ModelCheck:
    default = ModelNames(defaults)
    matching = tuple((key, value, ModelNames(models)) for (key, value), models in by_value.items())

    def allows(provider: str, model: str, metadata: Mapping[str, str]) -> bool:
        found = [models for key, value, models in matching if metadata.get(key) == value]
        return any(models.allow(provider, model) for models in found or [default]) is not blocks

    return allows


def _models(parameters: Parameters, name: str) -> tuple[str, ...]:
    """A list that may be empty: no model."""
    value = parameters.value(name)
    return () if value == [] else parameters.texts(name)


def _list(parameters: Parameters, name: str) -> list[Any]:
    value = parameters.value(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise parameters.wrong(name, "a list")
    return value
