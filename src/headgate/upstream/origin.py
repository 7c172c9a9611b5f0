"""Where a provider lives: the one place that decides what a base URL may look like."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import NoReturn, Self
from urllib.parse import urlsplit

from headgate.base.errors import InvalidRequest

DEFAULT_PORTS = {"http": 80, "https": 443}

# Ports of protocols that a request could be smuggled into: those the Fetch standard blocks ("bad port"),
# and the databases, brokers and daemons that live beside a gateway.
_FOREIGN_PORTS = frozenset(
    {1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110}
    | {111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531}
    | {532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190}
    | {5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
    | {1433, 1521, 2181, 2375, 2376, 3306, 5432, 5672, 6379, 9042, 9092, 11211, 27017}
)

_PRINTABLE = re.compile(r"[^\x00-\x20\x7f\\]+")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*")
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
# IDNA 2003 and 2008 take these to different hosts, so which one would get the credential depends on the reader.
_AMBIGUOUS = re.compile("[\u00df\u03c2\u200c\u200d]")


@dataclass(frozen=True, slots=True)
class Origin:
    """`scheme://host:port` and the path below which the API lives.

    `host` is lower-case ASCII (punycode where it was international) or an IP address without brackets;
    `base_path` has no slash at its end and is empty for the root.
    """

    scheme: str
    host: str
    port: int
    base_path: bytes = b""
    authority: bytes = field(init=False, repr=False, compare=False)
    """The value of the Host header."""

    def __post_init__(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        object.__setattr__(self, "authority", f"{host}{port}".encode())

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority.decode()}{self.base_path.decode()}"

    @classmethod
    def parse(cls, url: str, param: str = "base_url") -> Self:
        """The origin a base URL names. Raises `InvalidRequest` about `param` if two readers could disagree on it."""

        def refuse(why: str) -> NoReturn:
            raise InvalidRequest(f"`{param}` {why}", param=param)

        if _PRINTABLE.fullmatch(url) is None:
            refuse("must be a URL without spaces, control characters or backslashes.")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            refuse(f"is not a URL: {error}.")
        scheme = parts.scheme
        if scheme not in DEFAULT_PORTS or not parts.netloc:
            refuse("must start with https:// or http:// and name a host.")
        if "@" in parts.netloc:
            refuse("must not carry a user name or password; store the credential as the integration's key.")
        if "?" in url or "#" in url:
            refuse("must not have a query or fragment; it is the part all paths of the API have in common.")
        if parts.netloc.endswith(":"):
            refuse("has a colon without a port.")
        if port is None:
            port = DEFAULT_PORTS[scheme]
        if port == 0 or port in _FOREIGN_PORTS:
            refuse(f"names port {port}, which is not spoken to over HTTP; let the provider listen on another one.")
        path = parts.path.rstrip("/")
        if _PATH.fullmatch(path) is None or _DOTS.search(path):
            refuse("has a path with empty or dot segments, or characters that must be percent-encoded.")
        try:
            host = canonical_host(parts.netloc)
        except ValueError as error:
            refuse(f"names a host that is not valid: {error}.")
        return cls(scheme, host, port, path.encode())


def canonical_host(netloc: str) -> str:
    """The host of `host[:port]`: an IP address in its shortest form, or a lower-case ASCII name. Raises `ValueError`.

    Other spellings of IPv4 addresses (`2130706433`, `0x7f.1`, `0177.0.0.1`) are refused: resolvers disagree on them.
    """
    if netloc.startswith("["):
        literal, bracket, rest = netloc[1:].partition("]")
        if not bracket or "%" in literal or (rest and not rest.startswith(":")):
            raise ValueError("an IPv6 address is written in brackets and without a zone")
        return str(ipaddress.IPv6Address(literal))
    name = netloc.partition(":")[0]
    if _AMBIGUOUS.search(name):
        raise ValueError("its letters mean different hosts to different readers; write it as xn--…")
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    labels = name.lower().removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(ipaddress.IPv4Address(".".join(labels)))
    if len(".".join(labels)) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("labels are 1 to 63 letters, digits and inner hyphens")
    return ".".join(labels)
