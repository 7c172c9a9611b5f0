"""Logs: structured, and without credentials."""

import io
import json
import logging
import random
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from headgate.base.redaction import REDACTED
from headgate.process.logging import configure_logging, redact
from headgate.settings import Settings
from headgate.tenancy.keys import mint

KEY = mint(b"p" * 32, random.Random(1).randbytes).text


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """Where this test's log goes; the root logger is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_and_name(output: io.StringIO) -> None:
    """What a log collector needs is in every line, with the event's own fields beside it."""
    configure_logging(Settings(log_format="json"), output)
    structlog.get_logger("headgate.test").info("key created", key_id="abc", count=2)
    (line,) = lines(output)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "key created", "key_id": "abc", "count": 2, "level": "info", "logger": "headgate.test"}


def test_the_standard_library_logs_through_the_same_place(output: io.StringIO) -> None:
    """Lines of other packages have the same form and are redacted too."""
    configure_logging(Settings(log_format="json"), output)
    logging.getLogger("some.package").warning("using %s", KEY)
    (line,) = lines(output)
    assert (line["level"], line["logger"], line["event"]) == ("warning", "some.package", f"using {REDACTED}")


def test_the_level_is_the_settings(output: io.StringIO) -> None:
    """Below `log_level` nothing is written."""
    configure_logging(Settings(log_format="json", log_level="warning"), output)
    log = structlog.get_logger("headgate.test")
    log.info("small talk")
    log.warning("heard")
    assert [line["event"] for line in lines(output)] == ["heard"]


def test_an_exception_is_logged_with_its_traceback_and_without_credentials(output: io.StringIO) -> None:
    """A traceback repeats messages, and messages may repeat what somebody sent."""
    configure_logging(Settings(log_format="json"), output)
    try:
        raise ValueError(f"bad key {KEY}")
    except ValueError:
        structlog.get_logger("headgate.test").exception("crashed")
    (line,) = lines(output)
    assert "ValueError: bad key ***" in line["exception"]
    assert KEY not in output.getvalue()


def test_the_console_form_is_for_people(output: io.StringIO) -> None:
    """`console` writes no JSON; `auto` does where nobody looks at a terminal."""
    configure_logging(Settings(log_format="console"), output)
    structlog.get_logger("headgate.test").info("listening", port=8787)
    assert "listening" in output.getvalue()
    assert "port=8787" in output.getvalue()


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "sk-proj-abcdefghijklmnop",
        "sk-ant-api03-abcdefghijklmnop",
        "AIzaSyA-abcdefghijklmnopqrstuvwxyz012345",
        "gsk_abcdefghijklmnop",
        "xai-abcdefghijklmnop",
    ],
)
def test_a_credential_is_taken_out_wherever_it_stands(secret: str) -> None:
    """In a text, in a list, in a nested object, in bytes, in the form of an object nobody expected."""
    event = redact(
        None,
        "",
        {
            "event": f"sent {secret}, refused",
            "nested": {"deep": [secret, (f"x={secret};",)]},
            "raw": secret.encode(),
            "object": ValueError(secret),
        },
    )
    assert secret not in repr(event)
    assert event["event"] == f"sent {REDACTED}, refused"


def test_what_is_named_a_secret_is_one_whatever_it_looks_like() -> None:
    """By name: also a short or unusual credential."""
    event = redact(None, "", {"password": "hunter2", "api_key": "k", "Authorization": "Basic abc", "x-api-key": b"k"})
    assert set(event.values()) == {REDACTED}


def test_a_url_keeps_its_host_and_loses_its_password() -> None:
    """A database address stays useful in a log line."""
    event = redact(None, "", {"event": "connecting to postgresql://headgate:hunter2@db.internal:5432/headgate"})
    assert event["event"] == f"connecting to postgresql://{REDACTED}@db.internal:5432/headgate"


def test_ordinary_fields_stay_as_they_are() -> None:
    """Identifiers, figures and names that only sound similar are not touched."""
    event = {"key_id": "abc", "input_tokens": 12, "slug": "task-force-two", "ok": True, "none": None, "ms": 1.5}
    assert redact(None, "", dict(event)) == event


def test_warnings_are_logged(output: io.StringIO) -> None:
    """A warning of a library ends in the log, not in the middle of a terminal."""
    configure_logging(Settings(log_format="json"), output)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(True)
        warnings.warn("old thing", stacklevel=1)
    assert "old thing" in lines(output)[0]["event"]
