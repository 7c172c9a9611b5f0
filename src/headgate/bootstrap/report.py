"""What a task in the background says when it fails."""

import structlog

log = structlog.get_logger("headgate")


def report(what: str, error: BaseException) -> None:
    """One line in the log: what failed, and how."""
    log.error(what, error=f"{type(error).__name__}: {error}")
