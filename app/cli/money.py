"""`billing` and `rates`: what is told of money in files."""

import sys
from pathlib import Path

import click

from app.cli import context

_FILE = click.Path(path_type=Path)


@click.group(no_args_is_help=False)
def billing() -> None:
    """Subscriptions and payments."""


@billing.command("import")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Say what would be imported, and import nothing.")
@click.option("--skip-bad", is_flag=True, help="Leave broken rows out and import the others.")
def import_(file: Path, dry_run: bool, skip_bad: bool) -> None:
    """Import billing events from FILE, a CSV file with the columns of the API's events.

    `amount` is two columns, amount_minor and currency. A broken row is named, and nothing is
    imported. Importing a file again changes nothing.
    """
    from app.auth.caller import own_scope
    from app.commands.billing_file import import_file

    with context.registry(context.settings(), create=True) as engine:
        taken = import_file(
            engine, own_scope(), file, context.now_us(),
            dry_run=dry_run, skip_bad=skip_bad, progress=_progress,
        )  # fmt: skip
    for line in taken.problems:
        print(f"left out: {line}", file=sys.stderr)
    verb = "would be imported" if dry_run else "imported"
    known = f", {taken.duplicates:,} known already" if taken.duplicates else ""
    print(f"{taken.accepted:,} events {verb}{known}")


@billing.command()
def recompute() -> None:
    """Fold all billing events again and mend what differs; the scheduler does so each night."""
    from app.commands.recompute import recompute as run

    with context.registry(context.settings()) as engine:
        done = run(engine, context.now_us())
    print(f"{done.subscriptions:,} subscriptions and {done.days:,} days of payments folded again")
    print(f"{done.mended:,} were not as their events say, and are now")


@click.group(no_args_is_help=False)
def rates() -> None:
    """Exchange rates."""


@rates.command("import")
@click.argument("file", type=_FILE)
@click.option("--base", required=True, metavar="CODE", help="Currency of which one unit is told.")
def import_rates(file: Path, base: str) -> None:
    """Keep the rates of FILE, a CSV file with the columns date, currency and rate.

    A rate is how many units of the currency one unit of the base is worth on that day.
    """
    from app.commands.rates import import_rates as run
    from app.domain.currency import MINOR_DIGITS

    if base not in MINOR_DIGITS:
        raise click.UsageError(f"{base!r} is no currency of ISO 4217.", click.get_current_context())
    with context.changing() as session:
        changed = run(session, file, base)
    print(f"{changed:,} rates are new or changed")


def _progress(done: int, every: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} of {every:,}", end="\n" if done == every else "", file=sys.stderr)
