"""Base URLs."""

import pytest

from headgate.base.errors import InvalidRequest
from headgate.upstream.origin import Origin


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "base_path", "authority"),
    [
        ("https://api.openai.com/v1", "https", "api.openai.com", 443, b"/v1", b"api.openai.com"),
        ("https://api.openai.com/v1/", "https", "api.openai.com", 443, b"/v1", b"api.openai.com"),
        ("https://api.openai.com", "https", "api.openai.com", 443, b"", b"api.openai.com"),
        ("HTTPS://API.OpenAI.com.:443/", "https", "api.openai.com", 443, b"", b"api.openai.com"),
        ("http://127.0.0.1:8000/v1", "http", "127.0.0.1", 8000, b"/v1", b"127.0.0.1:8000"),
        ("http://[::1]:11434/v1", "http", "::1", 11434, b"/v1", b"[::1]:11434"),
        ("http://[0:0:0:0:0:ffff:7f00:1]/", "http", "::ffff:7f00:1", 80, b"", b"[::ffff:7f00:1]"),
        ("https://x.azure.com/openai/gpt%204o", "https", "x.azure.com", 443, b"/openai/gpt%204o", b"x.azure.com"),
        ("https://bücher.example/v1", "https", "xn--bcher-kva.example", 443, b"/v1", b"xn--bcher-kva.example"),
        ("http://vllm_worker-1:8000", "http", "vllm_worker-1", 8000, b"", b"vllm_worker-1:8000"),
        ("https://h:80", "https", "h", 80, b"", b"h:80"),
    ],
)
def test_a_base_url_is_taken_apart(
    url: str, scheme: str, host: str, port: int, base_path: bytes, authority: bytes
) -> None:
    """Host in lower-case ASCII, the scheme's own port left out of the Host header, no slash at the end of the path."""
    origin = Origin.parse(url)
    assert (origin.scheme, origin.host, origin.port, origin.base_path) == (scheme, host, port, base_path)
    assert origin.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.openai.com",
        "//api.openai.com",
        "file:///etc/passwd",
        "gopher://h/",
        "ftp://h/",
        "http:",
        "http://",
        "http:///v1",
        "http://user@h/",
        "http://user:secret@h/",
        "http://good.example@169.254.169.254/",
        "http://h/v1?key=1",
        "http://h/v1?",
        "http://h#x",
        "http://h/#",
        "http://good.example#@bad.example/",
        "http://good.example\\@bad.example/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:-1/",
        "http://h:/",
        "http://h:abc/",
        "http://h:22/",
        "http://h:25/",
        "http://h:6379/",
        "http://h:5432/",
        "http://h/a b",
        "http://h/\r\nx: y",
        "http://h\t.example/",
        " http://h/",
        "http://h/v1/../admin",
        "http://h/%2E%2e/admin",
        "http://h/./v1",
        "http://h/v1//chat",
        "http://h/100%",
        "http://h/é",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.0x1/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://[::1]x/",
        "http://[::1]:/",
        "http://[127.0.0.1]/",
        "http://-h/",
        "http://h-/",
        "http://a..b/",
        "http://./",
        "http://h_%41/",
        "http://faß.example/",
        "http://a\u200db.example/",
        "http://" + "a" * 64 + "/",
        "http://" + ".".join(["a" * 60] * 5) + "/",
    ],
)
def test_a_url_that_two_readers_could_read_differently_is_refused(url: str) -> None:
    """The refusal names the field; nothing is guessed, so a credential never goes where its owner did not mean."""
    with pytest.raises(InvalidRequest) as caught:
        Origin.parse(url, param="custom_host")
    assert caught.value.param == "custom_host"
    assert "`custom_host`" in caught.value.message


def test_fullwidth_digits_are_the_address_they_look_like() -> None:
    """An address in other scripts' digits becomes plain digits here, so that the guard sees what a resolver would."""
    assert Origin.parse("http://１６９。２５４。１６９。２５４/").host == "169.254.169.254"
