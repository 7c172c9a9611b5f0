"""`headgate check`: what is configured and what is found, without changing anything."""

import asyncio
import sys

from headgate.cli.options import Config, DataDir, settings_from


def check(data_dir: DataDir = None, config: Config = None) -> None:
    """Check settings, keys and stores, and say what was found. Changes nothing."""
    from headgate.process.look import look

    found = asyncio.run(look(settings_from(data_dir=data_dir, config=config)))
    for label, text in found.facts:
        print(f"{label:<12}{text}")
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
