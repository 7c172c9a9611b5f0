"""The command line: `headgate serve | check | migrate | keys | workspaces | integrations | api-keys | usage | prices`.

One file per command or family. `serve`, `check`, `migrate`, `keys` and `usage` work on the data directory;
`workspaces`, `integrations` and `api-keys` talk to a running server over HTTP.
"""

from headgate.cli.app import main

__all__ = ["main"]
