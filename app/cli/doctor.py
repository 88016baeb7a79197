"""`doctor`: looks at everything that Midspan needs, and says how to mend what is wrong."""

from collections.abc import Iterator
from contextlib import ExitStack

import click

from app.cli import context
from app.cli.findings import Finding, Level, fail, guarded, ok
from app.errors import MidspanError
from app.settings import Settings


@click.command()
def doctor() -> None:
    """Look at settings, databases, journal, routing, clock, ports and mail.

    One line each: ok, warn or fail, and how to mend it. The exit code is 1 when anything fails.
    It changes nothing.
    """
    failures = checks = 0
    for finding in _examine():
        print(finding, flush=True)
        checks += 1
        failures += finding.level is Level.FAIL
    if failures:
        raise MidspanError(
            f"{failures} of {checks} checks failed; each line above says how to mend it"
        )


def _examine() -> Iterator[Finding]:
    from app.cli import check_home, check_reach

    settings = context.settings()
    yield ok("settings", f"home {settings.home}")
    yield from guarded("home", lambda: check_home.home(settings))
    yield from guarded("secret", lambda: check_home.secret(settings))
    yield from _of_data(settings)
    yield from guarded("ports", lambda: check_reach.ports(settings))
    yield from guarded("mail", lambda: check_reach.mail(settings))
    yield from guarded("receivers", lambda: check_home.receivers(settings))


def _of_data(settings: Settings) -> Iterator[Finding]:
    from app.cli import check_data, check_home

    with ExitStack() as stack:
        engine, stored = None, None
        try:
            engine = stack.enter_context(context.registry(settings))
        except MidspanError as error:
            yield fail("registry", str(error))
        else:
            yield from guarded("registry", lambda: check_data.registry(settings, engine))
            yield from guarded("routing", lambda: check_data.routing(settings, engine))
        try:
            stored = check_data.stored(settings)
            yield check_data.metrics_store(settings, stored)
        except MidspanError as error:
            yield fail("metrics store", str(error))
        positions = stored.positions if stored else {}
        yield from guarded("journal", lambda: check_home.journal(settings, positions))
        now_us = context.now_us()
        yield from guarded("clock", lambda: check_data.clock(engine, stored, now_us))
