"""The nginx of this machine, where there is one, with a configuration of its own."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.services import free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
OURS = Path(__file__).parents[2] / "deploy" / "nginx" / "headgate.conf"
_AROUND = """
daemon off;
master_process off;
pid {home}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
{servers}
}}
"""


def ours(*gateways: str) -> str:
    """The file that ships, with other names for the gateways, on another port."""
    text = OURS.read_text().replace("listen 8080;", "listen 127.0.0.1:PORT;")
    text, found = re.subn(r"    server gateway-1:8787;\n    server gateway-2:8787;\n", "SERVERS", text)
    assert found == 1
    return text.replace("SERVERS", "".join(f"    server {each};\n" for each in gateways))


@contextmanager
def nginx(home: Path, servers: str) -> Iterator[str]:
    """`servers` stands in the http block, with `PORT` for the port. Yields the URL, and ends it with the block.

    Raises `AssertionError` with what `nginx -t` says where the configuration is wrong.
    """
    assert NGINX is not None
    port = free_port()
    home.mkdir()
    file = home / "nginx.conf"
    file.write_text(_AROUND.format(home=home, servers=servers.replace("PORT", str(port))))
    command = [NGINX, "-e", "stderr", "-p", str(home), "-c", str(file)]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:  # it listens before it says so
                if "using the" in line:
                    break
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.stderr.read()
