"""Read answers of any provider through the gateway with the OpenAI SDK: `calls` is a list of (model, streamed)."""

import openai
from _told import ARGUMENTS, TOOL_SCHEMA, tell

client = openai.OpenAI(base_url=ARGUMENTS["base_url"], api_key=ARGUMENTS["key"], max_retries=0)
hello = [{"role": "user", "content": "hello"}]
tools = [{"type": "function", "function": {"name": "get_weather", "parameters": TOOL_SCHEMA}}]


def whole(model):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=hello, tools=tools, max_tokens=1000)
    answer = raw.parse()
    message = answer.choices[0].message
    return {
        "text": message.content or "",
        "calls": [[call.function.name, call.function.arguments] for call in message.tool_calls or ()],
        "finish": answer.choices[0].finish_reason,
        "usage": [answer.usage.prompt_tokens, answer.usage.completion_tokens],
        "request_id": raw.headers["x-headgate-request-id"],
    }


def streamed(model):
    text, calls, finish, usage = "", {}, None, None
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=hello, tools=tools, max_tokens=1000, stream=True, stream_options={"include_usage": True}
    )
    for chunk in raw.parse():
        usage = chunk.usage or usage
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            text += choice.delta.content or ""
            for part in choice.delta.tool_calls or ():
                call = calls.setdefault(part.index, ["", ""])
                call[0] += part.function.name or ""
                call[1] += part.function.arguments or ""
    told = [usage.prompt_tokens, usage.completion_tokens]
    request_id = raw.headers["x-headgate-request-id"]
    return {"text": text, "calls": list(calls.values()), "finish": finish, "usage": told, "request_id": request_id}


def read(model, streams):
    try:
        return streamed(model) if streams else whole(model)
    except Exception as error:  # the test says which recordings may fail, and how
        return {"error": f"{type(error).__name__}: {error}"}


tell(answers=[read(model, streams) for model, streams in ARGUMENTS["calls"]])
