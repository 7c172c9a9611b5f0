"""Tools that run at the provider: each call costs a fee and another pass of the model over a growing prompt.

A request's tools are either the client's own (a schema, and a hidden prompt), or the provider's. The latter are bounded
only where the request says how often they may be used and the fee is known; else the reason is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from headgate.base.usage import WEB_SEARCH

Json = Mapping[str, Any]


class Tools(msgspec.Struct):
    """What the tools of a request add to its bound."""

    any: bool = False
    typed: int = 0
    """Tools that the provider defines and the client runs."""
    passes: int = 1
    """How often the model may read its prompt."""
    fees: dict[str, int] = {}
    """Meter -> uses, at most."""
    unbounded: str = ""
    """Why the cost of the tools has no bound; empty if it has one."""

    def cannot_bound(self, why: str) -> None:
        self.unbounded = self.unbounded or why

    def used(self, times: int, meter: str | None) -> None:
        self.passes += times
        if meter is not None:
            self.fees[meter] = self.fees.get(meter, 0) + times


def tools_of(format_name: str, request: Json) -> Tools:
    """Read the decoded request of a client's format."""
    tools = Tools()
    if _READ.isdisjoint(request):
        return tools
    tools.any = any(request.get(member) for member in _PROMPTING)
    for member in _SWITCHES:
        if request.get(member) or (member == "web_search_options" and request.get(member) is not None):
            tools.cannot_bound(f"`{member}` lets the provider search or choose another model")
    reasoning = request.get("reasoning")
    if isinstance(reasoning, dict) and reasoning.get("mode") not in (None, "standard"):
        tools.cannot_bound("`reasoning.mode` lets the model read the prompt any number of times")
    if "compact" in str(request.get("context_management", "")):
        tools.cannot_bound("`context_management` lets the provider read the conversation more than once")
    given = request.get("tools") or []
    if not isinstance(given, list):
        tools.cannot_bound("`tools` is not a list")
        return tools
    listed = [tool for tool in given if isinstance(tool, dict)]
    if format_name.startswith("anthropic"):
        _anthropic(listed, tools)
    elif format_name == "gemini":
        _gemini(listed, tools)
    else:
        _openai(listed, request.get("max_tool_calls"), tools)
    return tools


_SWITCHES: Final = (
    "web_search_options",
    "search_parameters",
    "search_settings",
    "enable_search",
    "compound_custom",
    "plugins",
    "models",
    "route",
    "fallbacks",
    "mcp_servers",
)
"""Members by which one request makes a provider search, or bill by another model."""

_PROMPTING: Final = ("tools", "functions", "response_format", "output_config", "output_format", "text")
"""Members that make a provider add a prompt of its own."""

_READ: Final = frozenset({*_SWITCHES, *_PROMPTING, "reasoning", "context_management"})

_OPENAI_CLIENT: Final = frozenset({"function", "custom", "namespace", "local_shell", "apply_patch"})
_OPENAI_TYPED: Final = frozenset({"computer_use_preview", "computer", "computer_use"})
_OPENAI_FEES: Final[Mapping[str, str | None]] = {
    "web_search": WEB_SEARCH,
    "web_search_preview": WEB_SEARCH,
    "file_search": "tool:file_search",
    "mcp": None,
    "tool_search": None,
}
"""Hosted tools of which the whole cost is known: a fee per call (None: none) and the tokens of another pass."""

_ANTHROPIC_CLIENT: Final = ("bash_", "text_editor_", "memory_", "computer_")
_ANTHROPIC_FEES: Final[Mapping[str, str | None]] = {"web_search_": WEB_SEARCH, "web_fetch_": None}
_GEMINI_CLIENT: Final = frozenset({"functionDeclarations", "function_declarations"})


def _openai(listed: Sequence[Json], limit: object, tools: Tools) -> None:
    hosted = []
    for tool in listed:
        kind = str(tool.get("type"))
        if kind in _OPENAI_TYPED:
            tools.typed += 1
        elif kind not in _OPENAI_CLIENT:
            hosted.append(next((name for name in _OPENAI_FEES if kind == name or kind.startswith(f"{name}_20")), kind))
    if not hosted:
        return
    for kind in hosted:
        if kind not in _OPENAI_FEES:
            tools.cannot_bound(f"the fee of the hosted tool `{kind[:60]}` is not known")
    if type(limit) is not int or limit < 0:
        tools.cannot_bound(f"`max_tool_calls` does not limit the hosted tool `{hosted[0][:60]}`")
    else:
        tools.passes += limit
        tools.fees = {meter: limit for kind in hosted if (meter := _OPENAI_FEES.get(kind)) is not None}


def _anthropic(listed: Sequence[Json], tools: Tools) -> None:
    for tool in listed:
        kind = str(tool.get("type", "custom"))
        if kind == "custom":
            continue
        if kind.startswith(_ANTHROPIC_CLIENT):
            tools.typed += 1
            continue
        name = next((name for name in _ANTHROPIC_FEES if kind.startswith(name)), None)
        uses = tool.get("max_uses")
        if name is None:
            tools.cannot_bound(f"the cost of the server tool `{kind[:60]}` is not known")
        elif type(uses) is not int or uses < 0:
            tools.cannot_bound(f"`max_uses` does not limit the server tool `{kind[:60]}`")
        else:
            tools.used(uses, _ANTHROPIC_FEES[name])


def _gemini(listed: Sequence[Json], tools: Tools) -> None:
    for name in _gemini_names(listed):
        if name not in _GEMINI_CLIENT:
            tools.cannot_bound(f"nothing limits how often `{name[:60]}` is used")


def _gemini_names(listed: Sequence[Json]) -> Iterator[str]:
    for tool in listed:
        yield from tool
