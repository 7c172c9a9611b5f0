"""nginx as a plain proxy: what a call costs that nobody looks at. The limit."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.subject import CannotRun, Subject
from bench.rig import MEASURED, free_port, process

CONFIGURATION = """daemon off; master_process off; pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000; client_max_body_size 32m; client_body_buffer_size 1m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass {scheme}://mock; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering off;
    }}
  }}
}}"""


@contextmanager
def nginx(upstream: int, *, tls: bool = False) -> Iterator[Subject]:
    """In front of the mock on this port. Raises `CannotRun` where it is not installed."""
    binary = shutil.which("nginx")
    if binary is None:
        raise CannotRun("it is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "nginx.conf"
        scheme = "https" if tls else "http"
        configuration.write_text(CONFIGURATION.format(folder=folder, upstream=upstream, port=port, scheme=scheme))
        with process([binary, "-c", configuration, "-e", f"{folder}/error.log"], MEASURED, port) as running:
            yield Subject("nginx", _version(binary), port, running.pid, "bench")


def _version(binary: str) -> str:
    told = subprocess.run([binary, "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\S+)", told)
    return found[1] if found else "?"
