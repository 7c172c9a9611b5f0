"""Read a stream that the gateway cuts, with the OpenAI SDK: chat completions and responses."""

import openai
from _told import ARGUMENTS, tell

client = openai.OpenAI(base_url=ARGUMENTS["base_url"], api_key=ARGUMENTS["key"], max_retries=0)
ASKED = "100000 tokens"
LIMIT = 100_000
hello = [{"role": "user", "content": ASKED}]


def chat():
    text, finish = "", None
    for chunk in client.chat.completions.create(
        model=ARGUMENTS["model"], messages=hello, max_tokens=LIMIT, stream=True, stream_options={"include_usage": True}
    ):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return {"text": len(text), "finish": finish}


def response():
    text, last = "", None
    for last in client.responses.create(model=ARGUMENTS["model"], input=ASKED, max_output_tokens=LIMIT, stream=True):
        if last.type == "response.output_text.delta":
            text += last.delta
    return {"text": len(text), "finish": last.response.incomplete_details.reason, "status": last.response.status}


tell(**(chat if ARGUMENTS["format"] == "chat" else response)())
