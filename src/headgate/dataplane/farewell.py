"""What a client is told before its connection is closed, in the words of the format it speaks."""

import logging
import math
from collections.abc import Sequence

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from headgate.base.clock import Clock
from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.base.header_lines import header_lines
from headgate.base.ids import request_id
from headgate.dataplane.endpoints import endpoint_for
from headgate.wire.errors import openai_body
from headgate.wire.registry import FORMATS

log = logging.getLogger("headgate.edge")


def farewell(
    error: HeadgateError, target: bytes, default_headers: Sequence[tuple[bytes, bytes]], clock: Clock
) -> bytes:
    """A whole answer, in the format of the path, as far as the target has been read."""
    endpoint = endpoint_for(target.partition(b"?")[0].decode("latin-1"))
    body = openai_body(error) if endpoint is None else FORMATS[endpoint.format].error_body(error)
    identifier = request_id(clock.now()).encode()
    headers = [
        *default_headers,
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        (b"x-headgate-request-id", identifier),
        (b"x-portkey-trace-id", identifier),
        (b"x-headgate-source", b"gateway"),
    ]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(error.retry_after)))
    return b"%b%b\r\n%b" % (STATUS_LINE[error.status], header_lines(headers), body)


def reason(error: httptools.HttpParserError) -> HeadgateError:
    """Why the parser stopped: for what we found while it told us, or for what it found itself."""
    cause = error.__context__
    if isinstance(cause, HeadgateError):
        return cause
    if isinstance(error, httptools.HttpParserCallbackError):
        log.error("a request's head could not be handled", exc_info=cause)
    return InvalidRequest("These bytes are not an HTTP/1.1 request.")
