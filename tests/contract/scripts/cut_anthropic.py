"""Read a stream that the gateway cuts, with the Anthropic SDK, whose helper checks the order of the events."""

import anthropic
from _told import ARGUMENTS, tell

client = anthropic.Anthropic(
    base_url=ARGUMENTS["base_url"].removesuffix("/v1"), api_key=ARGUMENTS["key"], max_retries=0
)
with client.messages.stream(
    model=ARGUMENTS["model"], messages=[{"role": "user", "content": "100000 tokens"}], max_tokens=100_000
) as stream:
    message = stream.get_final_message()
tell(
    text=sum(len(block.text) for block in message.content),
    finish=message.stop_reason,
    usage=[message.usage.input_tokens, message.usage.output_tokens],
)
