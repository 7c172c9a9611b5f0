"""The composition root: settings -> stores -> services -> one ASGI application. Only here a concrete store is named.

`gateway` is the page to read first: it opens everything, theme by theme. Each theme's wiring is a module beside it.
"""

from headgate.bootstrap.gateway import Gateway, open_gateway
from headgate.bootstrap.places import DATABASE_FILE, JOURNAL_DIRECTORY, database_url
from headgate.bootstrap.scale import check_sharing
from headgate.bootstrap.serving import server_for

__all__ = [
    "DATABASE_FILE",
    "JOURNAL_DIRECTORY",
    "Gateway",
    "check_sharing",
    "database_url",
    "open_gateway",
    "server_for",
]
