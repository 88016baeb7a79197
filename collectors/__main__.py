"""`python -m collectors proxy|loader`: one process each, until SIGTERM or SIGINT."""

import sys

import click

from app import logs, settings
from app.errors import MidspanError


@click.group()
def main() -> None:
    """Run a collector of Midspan."""


@main.command()
def proxy() -> None:
    """Pass traffic on and record it."""
    from collectors.proxy.run import main as run

    sys.exit(run(_begin("proxy")))


@main.command(hidden=True)
@click.argument("index", type=int)
@click.argument("parent", type=int)
@click.argument("ready", type=int)
@click.argument("outbound")
@click.argument("inbound")
def worker(index: int, parent: int, ready: int, outbound: str, inbound: str) -> None:
    """One of several workers of a proxy, started by their parent (`collectors.proxy.child`)."""
    from collectors.proxy.run import serve_for

    sys.exit(serve_for(_begin("proxy"), index, parent, ready, (outbound, inbound)))


@main.command()
def loader() -> None:
    """Load the journal into the metrics store."""
    from collectors.loader.run import main as run

    run(_begin("loader"))


def _begin(process: str) -> settings.Settings:
    given = settings.load()
    logs.configure(process, given.log_level, given.log_format)
    return given


if __name__ == "__main__":
    try:
        main(prog_name="python -m collectors")
    except MidspanError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
