"""A provider as the catalog knows it: one file of `data/providers/`, read and checked once at start."""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from tomllib import TOMLDecodeError, loads
from typing import Annotated, Final, Literal
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta

FORMATS: Final = frozenset(
    {
        "openai_chat",
        "openai_completions",
        "openai_embeddings",
        "openai_responses",
        "anthropic_messages",
        "anthropic_count_tokens",
        "gemini",
        "gemini_stream",
        "gemini_embeddings",
        "cohere_chat",
        "openai_moderations",
        "rerank",
        "openai_images",
        "openai_image_edits",
        "openai_image_variations",
        "openai_speech",
        "openai_transcriptions",
        "openai_translations",
        "openai_files",
        "openai_batches",
    }
)
"""What a provider file may name under `[formats]`."""

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
HeaderName = Annotated[str, Meta(pattern=r"^[a-z0-9-]+$")]
HeaderPattern = Annotated[str, Meta(pattern=r"^[a-z0-9-]+\*?$")]
Tokens = Annotated[int, Meta(ge=0, le=10_000_000)]


class CatalogError(Exception):
    """A file of the catalog is not what it must be. The message names the file and the field."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Immutable, and a misspelt field is an error."""


@lru_cache(maxsize=4096)
def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether any of the patterns (`*` stands for any rest) is the whole name; letter case counts."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class Auth(_Strict, frozen=True):
    """How the provider takes a credential."""

    header: HeaderName
    scheme: str = ""
    """The word before the credential (`Bearer`); empty where the header carries nothing else."""

    def value(self, secret: str) -> str:
        return f"{self.scheme} {secret}" if self.scheme else secret


class PriceSources(_Strict, frozen=True):
    """Under which names the sources of `headgate prices build` know this provider."""

    first: str
    """The provider in genai-prices: the source that prices."""
    second: tuple[str, ...] = ()
    """The providers in LiteLLM's map: the source of token limits, and the check on prices."""
    second_prefix: str = ""
    only: tuple[str, ...] = ("*",)
    skip: tuple[str, ...] = ()
    """Patterns of model ids: which of those that the first source lists under this provider are served by it."""


class BoundRules(_Strict, frozen=True):
    """What a request can be billed beyond its own bytes: see `catalog.bound`."""

    cache_writes: Literal["marked", "automatic"]
    """Whether tokens are written to the prompt cache only where the request marks them, or at the provider's choice."""
    request_tokens: Tokens = 64
    """Hidden input tokens of any request."""
    tools_tokens: Tokens = 1024
    """Hidden input tokens of a request with tools."""
    typed_tool_tokens: Tokens = 0
    """Hidden input tokens of each tool that the provider defines and the client executes."""
    image_tokens: Mapping[str, Tokens] = {}
    """The most one image can count, by pattern of the model id; the first match holds. No match: not known."""
    made_image_tokens: Mapping[str, Tokens] = {}
    """The most that one picture can count as output, by pattern of the model id; the first match holds."""
    searching_models: tuple[str, ...] = ()
    """Patterns of model ids that search or call tools without being asked to."""

    def image_limit(self, model: str) -> int | None:
        return next((limit for pattern, limit in self.image_tokens.items() if fnmatchcase(model, pattern)), None)

    def made_image_limit(self, model: str) -> int | None:
        """None: not known."""
        return next((limit for pattern, limit in self.made_image_tokens.items() if fnmatchcase(model, pattern)), None)

    def searches(self, model: str) -> bool:
        return matches(model, self.searching_models)


class ProviderSpec(_Strict, frozen=True):
    """Where a provider lives, how it takes credentials, which formats it speaks. Immutable."""

    id: Slug
    name: Annotated[str, Meta(min_length=1)]
    base_url: str
    """With the version path, without a slash at the end. Empty: the integration must set `custom_host`."""
    auth: Auth
    formats: Mapping[str, str]
    """The path of each format below the base URL; `{model}` stands for the model's id."""
    bound: BoundRules
    aliases: tuple[Slug, ...] = ()
    doc_url: str = ""
    credential: Literal["required", "optional", "none"] = "required"
    check: str = "/models"
    """Below the base URL, what only a good credential gets, for nothing: a list of models. Empty: none is known."""
    headers: Mapping[HeaderName, str] = {}
    """Sent with every request."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """The name of the output limit in `openai_chat`; OpenAI's reasoning models refuse the older name."""
    stream_usage: Literal["asked", "always"] = "asked"
    """Whether a stream tells its usage only where `stream_options` asks for it, or always and takes no such member."""
    model_prefixes: tuple[str, ...] = ()
    """What may stand in front of a model's id without changing its meaning."""
    relay_headers: tuple[HeaderPattern, ...] = ()
    """Response headers that a client may see; `*` at the end stands for any rest. All others stay here, a provider's
    rate-limit headers among them: they tell of the platform's whole account, and so of other tenants."""
    prices: PriceSources | None = None
    """None: no source prices this provider; an administrator may."""
    free_models: tuple[str, ...] = ()
    """Patterns of model ids that the provider itself says cost nothing; a source's price goes before it."""

    def relays(self, header: str) -> bool:
        """Whether a response header (lower case) goes to the client."""
        return matches(header, self.relay_headers)

    def speaks(self, format_name: str) -> bool:
        return format_name in self.formats

    def path(self, format_name: str, model: str, *, stream: bool) -> str:
        """Below the base URL. A model in it is one segment, whatever is in its name."""
        streamed = f"{format_name}_stream"
        path = self.formats[streamed if stream and streamed in self.formats else format_name]
        return path.replace("{model}", quote(model.removeprefix("models/"), safe="")) if "{" in path else path


def load_providers(folder: Traversable | None = None) -> dict[str, ProviderSpec]:
    """All provider files, by id. Raises `CatalogError` naming file and field."""
    folder = folder if folder is not None else files(__package__) / "data" / "providers"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    specs = {name.removesuffix(".toml"): _read(folder / name, name) for name in names}
    _refuse_shared_names(specs.values())
    return specs


def _read(file: Traversable, name: str) -> ProviderSpec:
    try:
        spec = msgspec.convert(loads(file.read_text("utf-8")), ProviderSpec)
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"providers/{name}: not valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise CatalogError(f"providers/{name}: {error}") from None
    for field, complaint in _complaints(spec, name.removesuffix(".toml")):
        raise CatalogError(f"providers/{name}: `{field}` {complaint}")
    return spec


def _complaints(spec: ProviderSpec, stem: str) -> Iterable[tuple[str, str]]:
    if spec.id != stem:
        yield "id", f"must be the file's name, `{stem}`, not `{spec.id}`"
    url = urlsplit(spec.base_url)
    loopback = url.hostname in {"127.0.0.1", "::1", "localhost"}
    if spec.base_url and not (url.hostname and (url.scheme == "https" or (url.scheme == "http" and loopback))):
        yield "base_url", f"must be an https URL (http only on loopback), not `{spec.base_url}`"
    if spec.base_url.endswith("/") or url.query or url.fragment:
        yield "base_url", "must end with its path, without a slash, query or fragment"
    if not spec.formats:
        yield "formats", f"must name at least one of {', '.join(sorted(FORMATS))}"
    if spec.check and not re.fullmatch(r"/[A-Za-z0-9_/-]+", spec.check):
        yield "check", f"must be a path that starts with a slash, not `{spec.check}`"
    for name, path in spec.formats.items():
        if name not in FORMATS:
            yield f"formats.{name}", f"is not a format; known: {', '.join(sorted(FORMATS))}"
        if not re.fullmatch(r"/[A-Za-z0-9_{}:/-]+(\?[A-Za-z0-9_=&-]+)?", path):
            yield f"formats.{name}", f"must be a path that starts with a slash, not `{path}`"


def _refuse_shared_names(specs: Iterable[ProviderSpec]) -> None:
    owner: dict[str, str] = {}
    for spec in specs:
        for name in (spec.id, *spec.aliases):
            if name in owner:
                raise CatalogError(f"providers/{spec.id}.toml: `{name}` already names `{owner[name]}`")
            owner[name] = spec.id
