"""What an operator is told once calls are taken."""

from importlib.metadata import version

import structlog

from headgate.bootstrap import Gateway
from headgate.settings import Settings

log = structlog.get_logger("headgate.process")


def announce(settings: Settings) -> None:
    """On standard output: where it listens, and a call to try."""
    url = _url(settings)
    print(
        f"Headgate {version('headgate')} listens on {url}\n\n"
        f'    curl {url}/v1/chat/completions -H "Authorization: Bearer $KEY" \\\n'
        '      -d \'{"model": "@openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}\'\n',
        flush=True,
    )


def log_facts(settings: Settings, gateway: Gateway) -> None:
    """Into the log: on what it runs."""
    facts = gateway.database.facts()
    for warning in facts.warnings:
        log.warning(warning)
    log.info(
        "listening",
        url=_url(settings),
        data_dir=str(settings.data_dir),
        database=f"{facts.engine} {facts.version}",
    )


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
