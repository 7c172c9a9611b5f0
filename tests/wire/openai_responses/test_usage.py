"""Usage of the Responses API."""

from headgate.wire.openai_responses.usage import read_usage

USAGE = {
    "input_tokens": 590,
    "input_tokens_details": {"cache_write_tokens": 10, "cached_tokens": 80},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 12},
    "total_tokens": 610,
}


def test_tokens() -> None:
    """The same meters as chat, by other names."""
    usage = read_usage(USAGE)
    assert usage is not None
    assert usage.counts == {"input": 500, "cache_read": 80, "cache_write": 10, "output": 8, "reasoning": 12}
    assert usage.total_tokens == 610


def test_tools_billed_by_the_call_are_counted() -> None:
    """Searches count, looking at pages does not; the tokens of function calls are all they cost."""
    items = [
        ("reasoning", ""),
        ("web_search_call", "search"),
        ("web_search_call", "open_page"),
        ("web_search_call", ""),
        ("file_search_call", ""),
        ("function_call", ""),
        ("message", ""),
    ]
    usage = read_usage(USAGE, items)
    assert usage is not None
    assert usage.counts["web_search"] == 2
    assert usage.counts["tool:file_search"] == 1
    assert usage.total_tokens == 610


def test_a_background_response_has_none_yet() -> None:
    """It is queued with `usage: null`."""
    assert read_usage(b"null") is None
