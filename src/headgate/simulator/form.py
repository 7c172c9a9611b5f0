"""A multipart form as the simulator reads it: with the standard library's parser, not as the gateway does."""

from email.parser import BytesParser
from email.policy import HTTP

from headgate.simulator.ask import Json


def is_form(kind: str) -> bool:
    return kind.lower().startswith("multipart/form-data")


def fields(kind: str, body: bytes) -> Json:
    """Texts by their names; files in a list under `files`."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    found: Json = {"files": []}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename() is not None:
            found["files"].append(content)
        else:
            found[str(part.get_param("name", header="content-disposition"))] = content.decode()
    return found
