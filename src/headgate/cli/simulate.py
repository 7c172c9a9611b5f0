"""`headgate simulate`: a provider that keeps its own books, to try things on without spending money."""

from pathlib import Path
from typing import Annotated

import typer

from headgate.base.errors import Unavailable


def simulate(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8788,
    journal: Annotated[Path, typer.Option(help="Where it writes down what it billed.")] = Path("simulator.journal"),
) -> None:
    """Run the provider simulator: OpenAI, Anthropic and Gemini on one port, scripted by model name."""
    from headgate.simulator.server import run

    try:
        run(host, port, journal, tell=lambda line: print(line, flush=True))
    except OSError as error:
        raise Unavailable(f"The simulator cannot run: {error}.") from None
