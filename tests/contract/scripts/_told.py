"""What the scripts share: their argument in, their findings out."""

import json
import sys
from collections.abc import Callable
from typing import Any

ARGUMENTS: dict[str, Any] = json.loads(sys.argv[1])
"""`base_url`, `key`, and what the test adds."""

TOOL_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def failure(call: Callable[[], object], error_type: type[Exception]) -> dict[str, object]:
    """The SDK's own error of a call that must fail: its class, status and text."""
    try:
        call()
    except error_type as error:
        return {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "text": str(error),
        }
    raise SystemExit(f"A call that must fail with {error_type.__name__} came back.")


def tell(**findings: object) -> None:
    """Print the findings as the script's one line of JSON."""
    print(json.dumps(findings))
