"""The command line, `python -m app`: setting up, looking after and asking how things are.

Every command does one thing and says what it did, on standard output. An error is one line on
standard error that says what to do (a registry file's errors are one line each), exit code 1,
never a traceback, and nothing is half written. What a command prints once and never again, a
token or a generated password, is alone on standard output or the last word there.

`--help` loads neither a database driver nor a page: each command imports what it needs.
"""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from app.cli import money, people, registry, tokens
from app.cli.doctor import doctor
from app.errors import MidspanError, RegistryFileError, TableFileError

_INTERRUPTED = 130


@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Midspan: a recording proxy, its metrics store and its pages."""


for command in (
    registry.migrate, registry.import_, registry.export, registry.routes,
    people.user, tokens.token, money.billing, money.rates, doctor,
):  # fmt: skip
    app.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code of the process."""
    try:
        code = app.main(
            args=None if arguments is None else list(arguments),
            prog_name="python -m app",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        _say("stopped; nothing was changed")
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain at its end.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives as long as the process
        return 1
    except Exception as error:  # noqa: BLE001 - the outermost edge: a line, never a traceback
        for line in _lines(error):
            _say(line)
        return 1
    return code if isinstance(code, int) else 0


def _lines(error: Exception) -> Sequence[str]:
    match error:
        case RegistryFileError(problems=(_, *_)):
            return error.problems
        case TableFileError():
            return [*error.problems, str(error)]
        case MidspanError():
            return [str(error)]
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "python -m app"
            return [f"{error.format_message()} See {path} --help"]
        case click.ClickException():
            return [error.format_message()]
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return [f"{where}{error.strerror or error}"]
        case _:
            last = traceback.extract_tb(error.__traceback__)[-1]
            at = f"{last.filename}:{last.lineno}"
            return [f"a defect in Midspan, at {at}: {type(error).__name__}: {error}"]


def _say(line: str) -> None:
    print(" ".join(line.split()), file=sys.stderr)
