"""`migrate`, `import`, `export` and `routes`."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import context
from app.errors import MidspanError, Refused

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from app.commands.registry_changes import Change

_SHOWN = 20


@click.command()
def migrate() -> None:
    """Create both databases, or bring them to the schema of this version."""
    from app.migrations import migrate as run

    for line in run(context.settings()):
        print(line)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Make the registry say what FILE says.

    The file is judged whole first; a problem in it changes nothing. It is the whole truth: a
    partner or integration that it no longer names is marked removed, is no longer routed and
    keeps its history. Importing it again changes nothing. The routing table is published.
    """
    from app.commands import registry_file, registry_import
    from app.db import transaction

    wanted = registry_file.read(file)
    settings = context.settings()
    with context.registry(settings, create=True) as engine:
        with transaction(engine) as session:
            changes = registry_import.apply(
                session, wanted, now_us=context.now_us(), actor=context.actor()
            )
        for line in _summary(changes):
            print(line)
        _publish(engine, settings.routes_path)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def export(file: Path | None) -> None:
    """Write the registry to FILE, or to standard output, as `import` reads it."""
    from app.commands import files, registry_export

    with context.reading() as session:
        found = registry_export.load(session)
    if found is None:
        raise Refused("the registry is empty: run python -m app import FILE first")
    text = registry_export.render(found)
    if file is None:
        sys.stdout.write(text)
    else:
        files.replace_file(file, text.encode())
        print(f"{file}: {len(found.partners)} partners")


@click.command()
def routes() -> None:
    """Publish the routing table that the proxy and the loader read."""
    settings = context.settings()
    with context.registry(settings) as engine:
        _publish(engine, settings.routes_path)


def _publish(engine: "Engine", path: Path) -> None:
    from app.commands import routing

    try:
        written = routing.publish(engine, path)
    except OSError as error:
        raise MidspanError(
            f"the routing table was not published, {path}: {error.strerror}; "
            "make it writable and run python -m app routes"
        ) from error
    print(f"routing table {'published' if written else 'unchanged'}: {path}")


def _summary(changes: "Sequence[Change]") -> list[str]:
    if not changes:
        return ["nothing changed"]
    counts = Counter(f"{change.thing} {change.verb}" for change in changes)
    lines = [str(change) for change in changes[:_SHOWN]]
    if len(changes) > _SHOWN:
        lines.append(f"and {len(changes) - _SHOWN} more")
    return [*lines, "imported: " + ", ".join(f"{count} {what}" for what, count in counts.items())]
