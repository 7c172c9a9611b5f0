"""How what can be expected is told: one sentence, no traceback."""

import sys

from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.settings import BadSetting


def tell(error: HeadgateError) -> int:
    """On standard error; the exit code: 2 for wrong usage, 1 for what went wrong."""
    print(f"headgate: {error.message}", file=sys.stderr)
    return 2 if isinstance(error, BadSetting | InvalidRequest) else 1
