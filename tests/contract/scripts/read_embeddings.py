"""Read embeddings of any provider with the OpenAI SDK: `calls` is a list of (model, inputs, dimensions or null).

Each is asked for twice: as numbers, and as the SDK does by itself, which is base64 that it decodes.
"""

import openai
from _told import ARGUMENTS, tell

client = openai.OpenAI(base_url=ARGUMENTS["base_url"], api_key=ARGUMENTS["key"], max_retries=0)


def read(model, inputs, **more):
    raw = client.embeddings.with_raw_response.create(model=model, input=inputs, **more)
    found = raw.parse()
    return {
        "values": [item.embedding for item in found.data],
        "order": [item.index for item in found.data],
        "usage": None if found.usage is None else found.usage.prompt_tokens,
        "request_id": raw.headers["x-headgate-request-id"],
    }


def both(model, inputs, dimensions):
    sized = {} if dimensions is None else {"dimensions": dimensions}
    return [read(model, inputs, encoding_format="float", **sized), read(model, inputs, **sized)]


tell(answers=[both(*call) for call in ARGUMENTS["calls"]])
