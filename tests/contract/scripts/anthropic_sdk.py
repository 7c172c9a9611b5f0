"""The Anthropic SDK with only `base_url` and `api_key` changed, against any provider behind the gateway."""

import anthropic
from _told import ARGUMENTS, TOOL_SCHEMA, failure, tell

# This SDK adds `/v1` itself.
client = anthropic.Anthropic(
    base_url=ARGUMENTS["base_url"].removesuffix("/v1"), api_key=ARGUMENTS["key"], max_retries=0
)
model = ARGUMENTS["model"]
hello = [{"role": "user", "content": "hello there"}]
weather = [{"role": "user", "content": "the weather in both cities?"}]
tools = [{"name": "get_weather", "description": "Weather", "input_schema": TOOL_SCHEMA}]


def _blocks(message):
    kept = []
    for block in message.content:
        if block.type == "text":
            kept.append(block.text)
        elif block.type == "tool_use":
            kept.append([block.name, block.input])
    return kept


def _told(message):
    return {"blocks": _blocks(message), "stop": message.stop_reason, "output": message.usage.output_tokens}


def plain():
    message = client.messages.create(model=model, max_tokens=100, messages=hello, system="Be brief.")
    return _told(message)


def streamed():
    with client.messages.stream(model=model, max_tokens=100, messages=hello) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    return {"text": text, **_told(message)}


def tool_calls():
    message = client.messages.create(model=model, max_tokens=100, messages=weather, tools=tools)
    made = [block for block in message.content if block.type == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": block.id, "content": "sunny"} for block in made]
    said = {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]}
    after = client.messages.create(
        model=model, max_tokens=100, tools=tools, messages=[*weather, said, {"role": "user", "content": results}]
    )
    return {"blocks": _blocks(message), "stop": message.stop_reason, "after": _blocks(after)}


def streamed_tool_calls():
    with client.messages.stream(model=model, max_tokens=100, messages=weather, tools=tools) as stream:
        return _blocks(stream.get_final_message())


def errors():
    stranger = client.with_options(api_key="sk-nobody")

    def message(of, name):
        return lambda: of.messages.create(model=name, max_tokens=100, messages=hello)

    return {
        "wrong key": failure(message(stranger, model), anthropic.APIStatusError),
        "unknown model": failure(message(client, "@anthropic/no-such-model"), anthropic.APIStatusError),
        "refused": failure(message(client, ARGUMENTS["refused"]), anthropic.APIStatusError),
        "overloaded": failure(message(client, ARGUMENTS["failing"]), anthropic.APIStatusError),
    }


def counted():
    return client.messages.count_tokens(model=model, messages=hello).input_tokens


def models():
    listed = client.models.list()
    first = client.models.retrieve(next(iter(listed)).id)
    paged = [each.id for each in client.models.list(limit=2)]
    return {"ids": [each.id for each in listed], "paged": paged, "first": [first.id, first.type]}


tell(
    plain=plain(),
    streamed=streamed(),
    tool_calls=tool_calls(),
    streamed_tool_calls=streamed_tool_calls(),
    errors=errors(),
    models=models(),
    counted=counted() if ARGUMENTS["speaks_anthropic"] else None,
)
