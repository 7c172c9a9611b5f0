"""The Portkey SDK with a stored prompt: rendered, and called plain and streamed."""

from _told import ARGUMENTS, tell
from portkey_ai import Portkey

client = Portkey(base_url=ARGUMENTS["base_url"], api_key=ARGUMENTS["key"])
prompt = ARGUMENTS["prompt"]
plain = client.prompts.completions.create(prompt_id=prompt, variables={"name": "Ada"})
streamed = client.prompts.completions.create(prompt_id=prompt, variables={"name": "Ada"}, stream=True)
text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices)
rendered = client.prompts.render(prompt_id=prompt, variables={"name": "Ada"})
tell(plain=plain.choices[0].message.content, streamed=text, rendered=rendered.data.messages[0]["content"])
