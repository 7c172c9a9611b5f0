"""The one place where logging is set up: structured, to standard error, with credentials taken out.

Redaction is the last line, not the first: nothing is meant to log a credential. It looks at names and at values.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import structlog

from headgate.settings import Settings

REDACTED: Final = "***"

_SECRET_NAME = re.compile(
    r"(?:^|[_-])(?:authorization|password|secret|token|cookie|pepper|(?:api|admin|master)[_-]?key)$", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"""
      \b hg_[0-9a-z]{4,}_[0-9a-z]{8,}_[0-9a-z]+       # our own API keys
    | \b (?:sk|rk|pk|gsk|xai|csk|fw|tgp|sk-ant)[-_][A-Za-z0-9_-]{12,}   # providers' keys
    | \b AIza[A-Za-z0-9_-]{20,}
    | (?<=bearer\s) [^\s"',;]{8,}
    | (?<=://) [^\s/@:]* : [^\s/@]+ (?=@)             # user and password in a URL
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every value that is named or looks like a credential becomes `***`."""
    for name, value in event.items():
        event[name] = REDACTED if _SECRET_NAME.search(name) and isinstance(value, str | bytes) else _clean(value)
    return event


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _SECRET_VALUE.sub(REDACTED, value)
        case bytes():
            return _SECRET_VALUE.sub(REDACTED, value.decode("utf-8", "replace"))
        case Mapping():
            return dict(redact(None, "", {str(name): each for name, each in value.items()}))
        case list() | tuple() | set() | frozenset():
            return [_clean(each) for each in value]
        case _:
            # Numbers, truth values and None as they are; anything else as it prints.
            return value if value is None or isinstance(value, bool | int | float) else _clean(repr(value))


def configure_logging(settings: Settings, stream: TextIO = sys.stderr) -> None:
    """Set up structlog, and the standard library's logging through it, for this process."""
    console = settings.log_format == "console" or (settings.log_format == "auto" and stream.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty()) if console else structlog.processors.JSONRenderer()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    logging.captureWarnings(True)
    # Their information lines repeat ours, or tell of every statement.
    for chatty in ("uvicorn", "asyncio", "alembic", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
