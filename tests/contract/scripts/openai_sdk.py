"""The OpenAI SDK with only `base_url` and `api_key` changed, against any provider behind the gateway."""

import openai
from _told import ARGUMENTS, TOOL_SCHEMA, failure, tell

client = openai.OpenAI(base_url=ARGUMENTS["base_url"], api_key=ARGUMENTS["key"], max_retries=0)
model = ARGUMENTS["model"]
hello = [{"role": "user", "content": "hello there"}]
weather = [{"role": "user", "content": "the weather in both cities?"}]
tools = [{"type": "function", "function": {"name": "get_weather", "parameters": TOOL_SCHEMA}}]
shape = {"type": "json_schema", "json_schema": {"name": "place", "schema": TOOL_SCHEMA}}


def plain():
    answer = client.chat.completions.create(model=model, messages=hello, max_tokens=100)
    choice = answer.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason, **_usage(answer.usage)}


def streamed(**options):
    text, usage, finish = "", None, None
    for chunk in client.chat.completions.create(model=model, messages=hello, max_tokens=100, stream=True, **options):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return {"text": text, "finish": finish, **(_usage(usage) if usage else {})}


def tool_calls():
    answer = client.chat.completions.create(model=model, messages=weather, max_tokens=100, tools=tools)
    made = answer.choices[0].message.tool_calls
    results = [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in made]
    again = [*weather, answer.choices[0].message.model_dump(exclude_none=True), *results]
    after = client.chat.completions.create(model=model, messages=again, max_tokens=100, tools=tools)
    return {
        "calls": [[call.function.name, call.function.arguments] for call in made],
        "finish": answer.choices[0].finish_reason,
        "after": after.choices[0].message.content,
    }


def streamed_tool_calls():
    made = {}
    for chunk in client.chat.completions.create(
        model=model, messages=weather, max_tokens=100, tools=tools, stream=True
    ):
        for choice in chunk.choices:
            for part in choice.delta.tool_calls or ():
                call = made.setdefault(part.index, {"name": "", "arguments": ""})
                call["name"] += part.function.name or ""
                call["arguments"] += part.function.arguments or ""
    return [[call["name"], call["arguments"]] for call in made.values()]


def structured():
    answer = client.chat.completions.create(model=model, messages=hello, max_tokens=100, response_format=shape)
    return answer.choices[0].message.content


def errors():
    stranger = client.with_options(api_key="sk-nobody")

    def chat(of, name):
        return lambda: of.chat.completions.create(model=name, messages=hello, max_tokens=100)

    return {
        "wrong key": failure(chat(stranger, model), openai.APIStatusError),
        "unknown model": failure(chat(client, "@openai/no-such-model"), openai.APIStatusError),
        "refused": failure(chat(client, ARGUMENTS["refused"]), openai.APIStatusError),
        "overloaded": failure(chat(client, ARGUMENTS["failing"]), openai.APIStatusError),
    }


def others():
    """What only an OpenAI-compatible provider speaks."""
    response = client.responses.create(model=model, input="hello there", max_output_tokens=100)
    events = [event.type for event in client.responses.create(model=model, input="hello there", stream=True)]
    vectors = client.embeddings.create(model=model, input=["one", "two"])
    return {
        "response": response.output_text,
        "response events": [events[0], events[-1]],
        "vectors": len(vectors.data),
        "models": [each.id for each in client.models.list()],
    }


def _usage(usage):
    return {"input": usage.prompt_tokens, "output": usage.completion_tokens}


tell(
    plain=plain(),
    streamed=streamed(),
    streamed_with_usage=streamed(stream_options={"include_usage": True}),
    tool_calls=tool_calls(),
    streamed_tool_calls=streamed_tool_calls(),
    structured=structured(),
    errors=errors(),
    others=others() if ARGUMENTS["speaks_openai"] else None,
)
