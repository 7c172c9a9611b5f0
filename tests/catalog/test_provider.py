"""Provider files: what ships is well-formed, and what is not is refused by file and field."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from headgate.catalog.provider import FORMATS, CatalogError, ProviderSpec, load_providers

SPECS = load_providers()
GOOD = """
id = "acme"
name = "Acme"
base_url = "https://api.acme.example/v1"
[auth]
header = "authorization"
scheme = "Bearer"
[formats]
openai_chat = "/chat/completions"
[bound]
cache_writes = "automatic"
"""


def load(folder: Path, text: str, name: str = "acme.toml") -> dict[str, ProviderSpec]:
    (folder / name).write_text(text)
    return load_providers(folder)


def test_the_contract_s_providers_are_there() -> None:
    """Every provider of the contract has its file, under the contract's id."""
    expected = {
        *("openai", "azure-openai", "anthropic", "google", "groq", "mistral-ai", "deepseek", "x-ai", "openrouter"),
        *("together-ai", "fireworks-ai", "cerebras", "zai", "cohere", "ollama", "vllm", "openai-compatible"),
    }
    assert expected <= SPECS.keys()


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.id)
def test_every_shipped_provider_is_complete(spec: ProviderSpec) -> None:
    """A base URL (or none, where the integration brings it), a way to log in, formats with their paths."""
    url = urlsplit(spec.base_url)
    assert not spec.base_url or (url.scheme in {"https", "http"} and url.hostname)
    assert spec.auth.header == spec.auth.header.lower()
    assert spec.auth.value("secret").endswith("secret")
    assert spec.formats.keys() <= FORMATS
    assert all(path.startswith("/") for path in spec.formats.values())
    assert spec.doc_url.startswith("https://")


def test_credentials_are_sent_as_each_provider_takes_them() -> None:
    """The header and the scheme before the secret."""
    sent = {name: (SPECS[name].auth.header, SPECS[name].auth.value("s")) for name in ("openai", "anthropic", "google")}
    assert sent == {
        "openai": ("authorization", "Bearer s"),
        "anthropic": ("x-api-key", "s"),
        "google": ("x-goog-api-key", "s"),
    }
    assert SPECS["azure-openai"].auth.header == "api-key"
    assert SPECS["anthropic"].headers == {"anthropic-version": "2023-06-01"}
    assert SPECS["ollama"].credential == "none"


def test_paths_join_to_the_documented_addresses() -> None:
    """Base URL and path together are the provider's documented endpoint."""
    joined = {name: spec.base_url + path for name, spec in SPECS.items() for path in list(spec.formats.values())[:1]}
    assert joined["openai"] == "https://api.openai.com/v1/chat/completions"
    assert joined["anthropic"] == "https://api.anthropic.com/v1/messages"
    assert joined["groq"] == "https://api.groq.com/openai/v1/chat/completions"
    assert joined["google"].startswith("https://generativelanguage.googleapis.com/v1beta/models/{model}:")


def test_response_headers_are_relayed_by_allow_list() -> None:
    """What helps to trace a call goes to the client; cookies, the account and what others left of it stay here."""
    assert SPECS["openai"].relays("x-request-id")
    assert SPECS["anthropic"].relays("request-id")
    for spec in SPECS.values():
        assert not spec.relays("x-ratelimit-remaining-tokens")
        assert not spec.relays("anthropic-ratelimit-requests-reset")
        assert not spec.relays("set-cookie")
        assert not spec.relays("openai-organization")


def test_one_file_adds_a_provider(tmp_path: Path) -> None:
    """A file with the least that is needed loads, with safe defaults."""
    spec = load(tmp_path, GOOD)["acme"]
    assert spec.speaks("openai_chat")
    assert not spec.speaks("gemini")
    assert spec.credential == "required"
    assert spec.bound.image_limit("any") is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (('id = "acme"', 'id = "other"'), "`id`"),
        (('base_url = "https://', 'base_url = "http://'), "`base_url`"),
        (('.example/v1"', '.example/v1/"'), "`base_url`"),
        (('header = "authorization"', "header = 7"), "auth.header"),
        (('scheme = "Bearer"', 'sceme = "Bearer"'), "sceme"),
        (("openai_chat =", "openai_chats ="), "formats.openai_chats"),
        (('"/chat/completions"', '"chat completions"'), "formats.openai_chat"),
        (('"automatic"', '"sometimes"'), "cache_writes"),
        (('name = "Acme"', ""), "name"),
        (('name = "Acme"', "name = "), "TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, change: tuple[str, str], field: str) -> None:
    """The message names the file and the field at fault."""
    with pytest.raises(CatalogError) as refused:
        load(tmp_path, GOOD.replace(*change))
    assert "providers/acme.toml" in str(refused.value)
    assert field in str(refused.value)


def test_a_name_belongs_to_one_provider(tmp_path: Path) -> None:
    """An alias that is another provider's id is refused: a credential must not go astray."""
    load(tmp_path, GOOD)
    with pytest.raises(CatalogError) as refused:
        load(tmp_path, GOOD.replace('id = "acme"', 'id = "zeta"\naliases = ["acme"]'), "zeta.toml")
    assert "`acme` already names `acme`" in str(refused.value)


def test_the_reference_page_s_example_is_a_provider(tmp_path: Path) -> None:
    """The file shown in the reference is complete and right."""
    page = (Path(__file__).parent.parent.parent / "docs" / "reference" / "providers.md").read_text()
    spec = load(tmp_path, page.partition("```toml\n")[2].partition("```")[0])["acme"]
    assert spec.bound.image_limit("acme-small-2") == 1_500
