"""How an attempt at a provider can go wrong."""

from typing import Literal

Kind = Literal[
    "connect",
    "tls",
    "timeout_connect",
    "timeout_first_byte",
    "timeout_idle",
    "timeout_total",
    "reset",
    "protocol",
    "too_large",
    "blocked_address",
    "pool_full",
]


class Failed(Exception):
    """An attempt that brought no whole answer.

    `kind` says in which way, for programs; the text says it for logs and names no credential.
    `sent` is whether any byte of the request may have reached the provider: if not, nothing was billed.
    `reused` is whether the connection had carried another exchange before: a `reset` with nothing answered may then be
    a provider that closed an idle connection while the request was on its way. It may have been billed all the same.
    """

    def __init__(self, kind: Kind, text: str, *, sent: bool, reused: bool = False) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind: Kind = kind
        self.text = text
        self.sent = sent
        self.reused = reused
