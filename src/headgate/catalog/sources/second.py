"""Reads LiteLLM's map of models: token limits, abilities, and rates to check the first source's against."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from headgate.base import usage as meters

_MEMBER: Final = "litellm/model_prices_and_context_window_backup.json"

_RATES: Final = {
    "input_cost_per_token": meters.INPUT,
    "output_cost_per_token": meters.OUTPUT,
    "cache_read_input_token_cost": meters.CACHE_READ,
    "cache_creation_input_token_cost": meters.CACHE_WRITE,
    "cache_creation_input_token_cost_above_1hr": meters.CACHE_WRITE_1H,
    "input_cost_per_audio_token": meters.INPUT_AUDIO,
    "cache_read_input_audio_token_cost": meters.CACHE_READ_AUDIO,
    "input_cost_per_image_token": meters.INPUT_IMAGE,
    "output_cost_per_audio_token": meters.OUTPUT_AUDIO,
    "output_cost_per_image_token": meters.OUTPUT_IMAGE,
    "output_cost_per_reasoning_token": meters.REASONING,
}
_KINDS: Final = {
    "chat": "chat",
    "responses": "chat",
    "completion": "completion",
    "embedding": "embedding",
    "image_generation": "image",
    "audio_speech": "audio",
    "audio_transcription": "audio",
    "realtime": "audio",
}
_ABILITIES: Final = {
    "supports_function_calling": "tools",
    "supports_parallel_function_calling": "parallel_tools",
    "supports_vision": "images",
    "supports_pdf_input": "pdf",
    "supports_audio_input": "audio_input",
    "supports_audio_output": "audio_output",
    "supports_video_input": "video",
    "supports_reasoning": "reasoning",
    "supports_response_schema": "json_schema",
    "supports_prompt_caching": "prompt_caching",
    "supports_web_search": "web_search",
}


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What the map says of one model; rates in nano-dollars per million tokens."""

    context: int | None
    output: int | None
    kind: str
    can: frozenset[str]
    rates: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SecondSource:
    """The map, by the map's own provider names. Raises `ValueError` if the file is not the map."""

    version: str
    by_provider: Mapping[str, Mapping[str, SecondOpinion]]

    def of(self, providers: tuple[str, ...], prefix: str) -> dict[str, SecondOpinion]:
        """By model id, without the map's prefix; where both spellings are listed, the one with the prefix holds."""
        found: dict[str, SecondOpinion] = {}
        for name, opinion in self._listed(providers):
            if name.startswith(prefix) or name not in found:
                found[name.removeprefix(prefix)] = opinion
        return found

    def _listed(self, providers: tuple[str, ...]) -> Iterator[tuple[str, SecondOpinion]]:
        for provider in providers:
            yield from sorted(self.by_provider.get(provider, {}).items())


def read(path: Path, version: str = "") -> SecondSource:
    """From the JSON file, or from the wheel of the package that carries it (its version is in the wheel's name)."""
    if path.suffix == ".whl":
        version = version or path.name.split("-")[1]
        with zipfile.ZipFile(path) as wheel:
            raw = wheel.read(_MEMBER)
    else:
        raw = path.read_bytes()
    entries = json.loads(raw, parse_float=Decimal)
    if not isinstance(entries, dict) or "sample_spec" not in entries:
        raise ValueError(f"{path.name} is not the map of models: it has no `sample_spec`")
    by_provider: dict[str, dict[str, SecondOpinion]] = {}
    for name, entry in entries.items():
        if name != "sample_spec" and isinstance(entry, dict):
            by_provider.setdefault(str(entry.get("litellm_provider")), {})[name] = _opinion(entry)
    return SecondSource(version, by_provider)


def _opinion(entry: dict[str, Any]) -> SecondOpinion:
    rates = {}
    for key, meter in _RATES.items():
        amount = entry.get(key)
        if isinstance(amount, Decimal | int) and not isinstance(amount, bool):
            rates[meter] = round(Decimal(amount) * 1_000_000 * 1_000_000_000)
    return SecondOpinion(
        context=_tokens(entry.get("max_input_tokens")),
        output=_tokens(entry.get("max_output_tokens")),
        kind=_KINDS.get(str(entry.get("mode")), "other"),
        can=frozenset(name for key, name in _ABILITIES.items() if entry.get(key) is True),
        rates=rates,
    )


def _tokens(value: object) -> int | None:
    """The map writes limits as integers, floats and now and then as text."""
    try:
        tokens = int(Decimal(str(value)))
    except (ArithmeticError, ValueError):
        return None
    return tokens if tokens > 0 else None
