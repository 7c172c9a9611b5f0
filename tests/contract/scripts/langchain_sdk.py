"""LangChain's OpenAI chat model with only `base_url` and `api_key` changed."""

import openai
from _told import ARGUMENTS, failure, tell
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def model(name=ARGUMENTS["model"], key=ARGUMENTS["key"]):
    return ChatOpenAI(model=name, base_url=ARGUMENTS["base_url"], api_key=key, max_retries=0, max_tokens=100)


answer = model().invoke("hello there")
parts = list(model().stream("hello there"))
called = model().bind_tools([get_weather]).invoke("the weather in both cities?")
tell(
    plain={"text": answer.content, "output": answer.usage_metadata["output_tokens"]},
    streamed="".join(part.content for part in parts),
    tool_calls=[[call["name"], call["args"]] for call in called.tool_calls],
    errors={
        "wrong key": failure(lambda: model(key="sk-nobody").invoke("hello"), openai.APIStatusError),
        "refused": failure(lambda: model(name=ARGUMENTS["refused"]).invoke("hello"), openai.APIStatusError),
    },
)
