"""Read answers of any provider through the gateway with the Anthropic SDK: `calls` is a list of (model, streamed)."""

import anthropic
from _told import ARGUMENTS, TOOL_SCHEMA, tell

client = anthropic.Anthropic(
    base_url=ARGUMENTS["base_url"].removesuffix("/v1"), api_key=ARGUMENTS["key"], max_retries=0
)
hello = [{"role": "user", "content": "hello"}]
tools = [{"name": "get_weather", "description": "Weather", "input_schema": TOOL_SCHEMA}]


def message(model, streams):
    """The message, and the headers it came with."""
    if not streams:
        raw = client.messages.with_raw_response.create(model=model, messages=hello, tools=tools, max_tokens=1000)
        return raw.parse(), raw.headers
    with client.messages.stream(model=model, messages=hello, tools=tools, max_tokens=1000) as stream:
        return stream.get_final_message(), stream.response.headers


def read(model, streams):
    try:
        found, headers = message(model, streams)
    except Exception as error:  # the test says which recordings may fail, and how
        return {"error": f"{type(error).__name__}: {error}"}
    usage = found.usage
    given = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return {
        "text": "".join(block.text for block in found.content if block.type == "text"),
        "calls": [[block.name, block.input] for block in found.content if block.type == "tool_use"],
        "finish": found.stop_reason,
        "usage": [given, usage.output_tokens],
        "request_id": headers["x-headgate-request-id"],
    }


tell(answers=[read(model, streams) for model, streams in ARGUMENTS["calls"]])
