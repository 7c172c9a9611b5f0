"""`headgate serve`: the gateway itself."""

import sys

from headgate.cli.options import AdoptKeys, Config, DataDir, Host, Port, Workers, settings_from
from headgate.process.logging import configure_logging


def serve(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    workers: Workers = None,
    adopt_keys: AdoptKeys = None,
    config: Config = None,
) -> None:
    """Run the gateway until SIGTERM or SIGINT; then drain. A second signal ends it at once."""
    settings = settings_from(
        host=host, port=port, data_dir=data_dir, workers=workers, adopt_keys=adopt_keys, config=config
    )
    configure_logging(settings)
    from headgate.process.serve import run

    sys.exit(run(settings))
