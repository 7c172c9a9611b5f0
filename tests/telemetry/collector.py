"""An OpenTelemetry collector on loopback, as far as a test needs one: it keeps the spans it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """`url` is its base; `spans` what came so far, `wait` what came when so many are there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: list[dict[str, Any]] = []
        self._came = threading.Condition()

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        with self._came:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans += [_decoded(span) for span in scope.spans]
            self._came.notify_all()

    def wait(self, count: int, within_s: float = 20) -> list[dict[str, Any]]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.spans) >= count, within_s), f"{len(self.spans)} spans came"
            return list(self.spans)


def _decoded(span: Any) -> dict[str, Any]:
    attributes = {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
    return {
        "name": span.name,
        "trace_id": span.trace_id.hex(),
        "parent": span.parent_span_id.hex(),
        "nanos": span.end_time_unix_nano - span.start_time_unix_nano,
        **attributes,
    }


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.take(decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
