"""Which dialogue joins two formats."""

import pytest

from headgate.base.errors import InvalidRequest
from headgate.wire.document import Document
from headgate.wire.passthrough import Passthrough
from headgate.wire.registry import FORMATS, open_dialogue, speaks


def test_formats_are_known_by_their_names() -> None:
    """Catalog files and endpoints name them."""
    assert set(FORMATS) == {
        "openai_chat",
        "openai_completions",
        "openai_embeddings",
        "openai_responses",
        "anthropic_messages",
        "anthropic_count_tokens",
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
    assert all(language.name == name for name, language in FORMATS.items())


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_same_format_passes_through(name: str) -> None:
    """Nothing is translated that need not be."""
    document = Document(b'{"model":"m"}')
    dialogue = open_dialogue(name, name, document, FORMATS[name].head(document), "m")
    assert isinstance(dialogue, Passthrough)
    assert speaks(name, name)


@pytest.mark.parametrize(
    ("client", "provider"),
    [("openai_embeddings", "anthropic_messages"), ("anthropic_count_tokens", "gemini"), ("openai_responses", "gemini")],
)
def test_a_provider_without_the_endpoint_is_named(client: str, provider: str) -> None:
    """The error says which endpoint is missing and what to do."""
    document = Document(b'{"model":"m"}')
    assert not speaks(client, provider)
    with pytest.raises(InvalidRequest) as raised:
        open_dialogue(client, provider, document, FORMATS[client].head(document), "m")
    assert raised.value.param == "model"
    assert f"`/v1{FORMATS[client].path}`" in raised.value.message
    assert provider in raised.value.message
