"""`python -m alerts run|check`: the scheduler process, and a rule tried on the past."""

import sys

import click

from app import logs, settings
from app.errors import MidspanError


@click.group()
def main() -> None:
    """Evaluate rules and tell people."""


@main.command()
def run() -> None:
    """Evaluate every rule and send what is due, until told to stop."""
    from alerts.run import main as serve

    given = settings.load()
    logs.configure("alerts", given.log_level, given.log_format)
    sys.exit(serve(given))


@main.command()
@click.argument("rule")
@click.option("--at", "at", default="now", help="End of the past to look at, RFC 3339 or now.")
@click.option("--over", default="1d", help="How much of the past: 6h, 1d, 30d.")
@click.option("--every", default="5m", help="How often the rule is evaluated in it.")
def check(rule: str, at: str, over: str, every: str) -> None:
    """Show what RULE (a file, or the name of a rule that stands) would have done over the past."""
    from alerts.trial import print_trial

    given = settings.load()
    logs.configure("alerts", "warning", given.log_format)
    print_trial(given, rule, at, over, every)


if __name__ == "__main__":
    try:
        main(prog_name="python -m alerts")
    except MidspanError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
