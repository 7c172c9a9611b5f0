"""Pydantic AI agents over its OpenAI and Anthropic models, with only `base_url` and `api_key` changed."""

import asyncio

from _told import ARGUMENTS, failure, tell
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

LIMIT = {"max_tokens": 100}


def openai_model(name, key=ARGUMENTS["key"]):
    return OpenAIChatModel(name, provider=OpenAIProvider(base_url=ARGUMENTS["base_url"], api_key=key))


def anthropic_model(name, key=ARGUMENTS["key"]):
    url = ARGUMENTS["base_url"].removesuffix("/v1")
    return AnthropicModel(name, provider=AnthropicProvider(base_url=url, api_key=key))


async def use(make, name):
    agent = Agent(make(name), model_settings=LIMIT)
    asked = []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "sunny"

    plain = await agent.run("hello there")
    with_tool = await agent.run("the weather?")
    async with agent.run_stream("hello there") as stream:
        text = "".join([piece async for piece in stream.stream_text(delta=True)])
    return {
        "plain": plain.output,
        "output": plain.usage.output_tokens,
        "streamed": text,
        "asked": asked,
        "after": with_tool.output,
    }


def error(make, name, **more):
    agent = Agent(make(name, **more), model_settings=LIMIT)
    return failure(lambda: agent.run_sync("hello"), ModelHTTPError)


tell(
    openai=asyncio.run(use(openai_model, ARGUMENTS["model"])),
    anthropic=asyncio.run(use(anthropic_model, ARGUMENTS["anthropic_model"])),
    errors={
        "wrong key": error(openai_model, ARGUMENTS["model"], key="sk-nobody"),
        "refused": error(anthropic_model, ARGUMENTS["refused"]),
    },
)
