"""The HTTP server and the data plane's bounds, as the settings say."""

from typing import Final

from headgate.dataplane.door import Door
from headgate.dataplane.edge import EdgeLimits
from headgate.dataplane.limits import Limits
from headgate.dataplane.proxies import Proxies, networks
from headgate.dataplane.server import Server, make_server
from headgate.settings import Settings
from headgate.upstream.client import Deadlines

LAST_CONNECTIONS_S: Final = 5
"""How long connections have to take their last bytes, once every call is over."""


def server_for(app: Door, settings: Settings) -> Server:
    """The HTTP server, with the bounds of the settings. What drains is drained before it is asked to end."""
    limits = EdgeLimits(
        head=settings.max_header_bytes,
        headers=settings.max_headers,
        body=settings.max_body_bytes,
        head_s=settings.head_timeout_s,
        idle_s=settings.keep_alive_s,
        write_s=settings.write_timeout_s,
        connections=settings.max_connections,
    )
    return make_server(
        app, settings.host, settings.port, calls=app.data_plane, limits=limits, drain_s=LAST_CONNECTIONS_S
    )


def proxies_of(settings: Settings) -> Proxies:
    """Those before the gateway that are known."""
    trusted = settings.trusted_proxies
    return Proxies(() if trusted is None else networks(trusted), settings.country_header)


def limits_of(settings: Settings) -> Limits:
    """What the data plane bounds, and for how long it waits."""
    deadlines = Deadlines(
        connect_s=settings.connect_timeout_s,
        first_byte_s=settings.first_byte_timeout_s,
        idle_s=settings.idle_timeout_s,
        total_s=settings.total_timeout_s,
    )
    return Limits(
        body=settings.max_body_bytes,
        body_within_s=settings.body_timeout_s,
        answer=settings.max_answer_bytes,
        after_hangup_s=settings.read_after_hangup_s,
        heartbeat_s=settings.heartbeat_s,
        default_max_output=settings.default_max_output_tokens,
        deadlines=deadlines,
    )
