"""The steps, for whoever decides about them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from headgate.cli.apply.secret import Secret
from headgate.cli.apply.step import Step

LONGEST: Final = 100
_MARKS: Final = {"create": "+", "change": "~", "remove": "-"}
_TOLD_ONLY: Final = frozenset(
    ("current_usage", "held", "remaining", "status", "last_reset_at", "next_usage_reset_at", "next_rotation_at")
)
"""What the server shows of limits and rotation, and nobody declares."""


def told(steps: Sequence[Step], declared: int) -> Iterator[str]:
    """Line by line: what is made, what is changed and from what to what, and how much there is of each."""
    for step in steps:
        if step.differences or step.verb != "change":  # the second half of a change was told with the first
            yield f"{_MARKS[step.verb]} {step.title}"
        for change in step.differences:
            for place, before, after in _differing(change.place, change.before, change.after):
                was = "" if before is None else f"{_short(before)} -> "
                yield f"    {place}: {was}{_short(after)}"
    made = sum(step.verb == "create" for step in steps)
    kept = [step.declared for step in steps if step.verb != "remove"]
    touched = {(each.kind.section, each.identity) for each in kept}
    gone = sum((step.verb, step.method) == ("remove", "DELETE") for step in steps)
    if steps:
        removed = f"{gone} to remove, " if gone else ""
        yield f"{made} to create, {len(touched) - made} to change, {removed}{declared - len(touched)} as they are."
    else:
        yield f"Nothing to change: all {declared} are as they are declared."


def _differing(place: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Only what differs of a document, so that one figure is one line."""
    before, after = (list(each) if isinstance(each, tuple) else each for each in (before, after))
    if isinstance(before, list) and isinstance(after, Mapping):
        after = [after]
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        gone = [name for name in before if name not in after and name not in _TOLD_ONLY and before[name] is not None]
        for name in [*after, *gone]:
            if before.get(name) != after.get(name):
                yield from _differing(f"{place}.{name}", before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after) and _objects(before, after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differing(f"{place}[{index}]", one, other)
    else:
        yield place, before, after


def _objects(*lists: Sequence[Any]) -> bool:
    return all(isinstance(each, Mapping) for entries in lists for each in entries)


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, Secret) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
