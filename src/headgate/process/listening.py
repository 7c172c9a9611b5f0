"""The port: bound before anything is opened, so that a taken one changes nothing."""

import socket
from typing import Final

from headgate.base.errors import Conflict
from headgate.settings import Settings

BACKLOG: Final = 2048
AT_ONCE: Final = 16
"""Connections that are taken in one turn of the event loop."""


def listen(settings: Settings, *, shared: bool = False) -> socket.socket:
    """Of one process; `shared`, of one worker among several: the kernel spreads the connections over their sockets."""
    family = _family(settings)
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG, reuse_port=shared)
    except OSError as error:
        raise _taken(settings, error) from None


def at_once(listening: socket.socket) -> list[socket.socket]:
    """It, and copies of it, to be listened on by one event loop: libuv takes one connection a turn from each.

    A turn takes tens of milliseconds where a thousand streams are under way, and a thousand clients who come then would
    wait for as many turns.
    """
    return [listening, *(listening.dup() for _ in range(AT_ONCE - 1))]


def reserve(settings: Settings) -> socket.socket:
    """Takes the port for workers that `listen` to it, and lets no connection in: they come to those that take calls."""
    listen(settings).close()  # one that others share already would not be refused below
    reserved = socket.socket(_family(settings))
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if reserved.family is socket.AF_INET6:
            reserved.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        reserved.bind((settings.host, settings.port))
    except OSError as error:
        reserved.close()
        raise _taken(settings, error) from None
    return reserved


def _family(settings: Settings) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in settings.host else socket.AF_INET


def _taken(settings: Settings, error: OSError) -> Conflict:
    return Conflict(
        f"port: cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
        "Name another with --host and --port.",
        param="port",
    )
