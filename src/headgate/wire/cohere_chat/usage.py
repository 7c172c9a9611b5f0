"""Cohere's `usage`: what was billed, which is less than what was processed.

Source: Cohere's API reference ("billed_units: the number of billed input / output tokens") and "How Does Cohere's
Pricing Work?". Its hidden prompt and what it thinks before it speaks stand in `tokens` only; `cached_tokens` counts the
former too, so it is no part of the billed input. All of it stays in `raw`.
"""

from collections.abc import Mapping
from typing import Any

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.wire.figures import Figures, report, usage_object


def read_usage(usage: bytes | Mapping[str, Any] | None) -> Usage | None:
    """`billed_units`; where a server of Cohere's models tells none, `tokens`. None without either. Never raises."""
    opened = usage_object(usage)
    if opened is None:
        return None
    raw, members = opened
    figures = Figures(members)
    for name in ("billed_units", "tokens"):
        counted = figures.object(name)
        if "input_tokens" in counted or "output_tokens" in counted:
            counts = {meters.INPUT: counted.count("input_tokens"), meters.OUTPUT: counted.count("output_tokens")}
            return report(counts, figures, raw)
    return None
