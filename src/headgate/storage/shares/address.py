"""Where the authority is: what `redis_url` says.

    redis://user:password@host:6379/0                       one server
    redis+sentinel://user:password@host:26379,host/service  the primary of that name, as the Sentinels know it
    redis+cluster://user:password@host:6379,host            a cluster; some of its nodes are enough

`rediss` instead of `redis` is TLS. Behind a `?` stand options, by the names that Redis' own clients use.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from headgate.settings import BadSetting

PORT: Final = 6379
SENTINEL_PORT: Final = 26379
TIMEOUT_S: Final = 1.0
_LONGEST_S: Final = 10.0
_TLS_OPTIONS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


class Kind(StrEnum):
    """What answers at the address."""

    SINGLE = ""
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`service` is the name under which Sentinels know the primary, whose own user is `sentinel_user`. `tls` is None
    without TLS, else the files of `ssl_ca_certs`, `ssl_certfile` and `ssl_keyfile` by these names; without the first,
    the machine's authorities are trusted. `timeout_s` bounds connecting, and each answer.
    """

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    service: str = ""
    sentinel_user: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    tls: Mapping[str, str] | None = None
    timeout_s: float = TIMEOUT_S

    @classmethod
    def parse(cls, url: str) -> "RedisAddress":
        """Raises `BadSetting`, which names the part that is wrong and never shows the URL: it has a password."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            _refuse(str(error))
        protocol, _, kind_name = parts.scheme.partition("+")
        if protocol not in ("redis", "rediss") or kind_name not in list(Kind):
            _refuse(f"`{parts.scheme}` is not a scheme of Redis")
        kind = Kind(kind_name)
        credentials, _, places = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        options = _options(parts, kind, tls=protocol == "rediss")
        service, database = _path(parts.path, kind)
        return cls(
            kind,
            _hosts(places, kind),
            unquote(user) or None,
            unquote(password) or None,
            database,
            service,
            options.get("sentinel_username"),
            options.get("sentinel_password"),
            _tls(options) if protocol == "rediss" else None,
            _timeout(options.get("socket_timeout")),
        )


def _refuse(why: str) -> NoReturn:
    raise BadSetting(f"redis_url: {why}.", param="redis_url")


def _hosts(places: str, kind: Kind) -> tuple[tuple[str, int], ...]:
    found = []
    for place in places.split(","):
        try:
            parts = urlsplit(f"//{place}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or port == 0:
            _refuse(f"`{place}` is not a host, or a host and a port")
        found.append((host, port or (SENTINEL_PORT if kind is Kind.SENTINEL else PORT)))
    if kind is Kind.SINGLE and len(found) > 1:
        _refuse("`redis://` names one host; several are for `redis+sentinel://` and `redis+cluster://`")
    return tuple(found)


def _path(path: str, kind: Kind) -> tuple[str, int]:
    """The service and the database."""
    parts = [unquote(part) for part in path.strip("/").split("/") if part]
    service = ""
    if kind is Kind.SENTINEL:
        if not parts:
            _refuse("behind the Sentinels stands the name they know the primary by, such as `/mymaster`")
        service = parts.pop(0)
    if not parts:
        return service, 0
    if len(parts) > 1 or not parts[0].isdecimal():
        _refuse(f"`{'/'.join(parts)}` is not the number of a database")
    if kind is Kind.CLUSTER and int(parts[0]):
        _refuse("a cluster has one database only, 0")
    return service, int(parts[0])


def _options(parts: SplitResult, kind: Kind, *, tls: bool) -> dict[str, str]:
    known = ["socket_timeout"]
    known += _TLS_OPTIONS if tls else ()
    known += ("sentinel_username", "sentinel_password") if kind is Kind.SENTINEL else ()
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options:
        if name in _TLS_OPTIONS and not tls:
            _refuse(f"`{name}` is for TLS: let the URL begin with `rediss`")
        if name not in known:
            _refuse(f"there is no option `{name}` for `{parts.scheme}://`; there are {', '.join(known)}")
    return options


def _tls(options: Mapping[str, str]) -> dict[str, str]:
    """Those files, each readable and what it should be."""
    files = {name: options[name] for name in _TLS_OPTIONS if name in options}
    for name, path in files.items():
        if not Path(path).is_file():
            _refuse(f"{name}: there is no file `{path}`")
    if ("ssl_certfile" in files) != ("ssl_keyfile" in files):
        _refuse("`ssl_certfile` and `ssl_keyfile` belong together")
    try:
        context = ssl.create_default_context(cafile=files.get("ssl_ca_certs"))
        if "ssl_certfile" in files:
            context.load_cert_chain(files["ssl_certfile"], files["ssl_keyfile"])
    except OSError as error:  # those of TLS are among them
        _refuse(f"{', '.join(files)}: {error}")
    return files


def _timeout(text: str | None) -> float:
    if text is None:
        return TIMEOUT_S
    try:
        seconds = float(text)  # why: a duration
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= _LONGEST_S:
        _refuse(f"`socket_timeout` is a number of seconds from 0.01 to {_LONGEST_S:.0f}")
    return seconds
