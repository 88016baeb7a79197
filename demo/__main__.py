"""`python -m demo` and `python -m demo run`; the demo starts its own parts with further words."""

import argparse
import os
import sys
from pathlib import Path

from app.errors import MidspanError
from app.settings import load


def main(arguments: list[str]) -> int:
    """Run a command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _dispatch(options)
    except MidspanError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _dispatch(options: argparse.Namespace) -> None:
    if options.command == "run":
        from demo.alone import run

        run(os.environ)
    elif options.command == "play":
        from demo.play import Wishes, play

        ports = (options.web_port, options.outbound_port, options.inbound_port)
        play(Wishes(options.home, options.days, options.seed, *ports), os.environ)
    else:
        _part(options.command)


def _part(name: str) -> None:
    from demo import parts

    own = load()
    work = {
        "services": parts.serve,
        "prepare": parts.prepare,
        "admit": parts.admit,
        "traffic": parts.drive,
        "backfill": parts.fill,
    }
    work[name](own)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "command", nargs="?", default="play", metavar="run",
        choices=("play", "run", "services", "prepare", "admit", "traffic", "backfill"),
        help="run: Midspan alone, on your own home and settings; without it: the demo",
    )  # fmt: skip
    parser.add_argument(
        "--home", type=Path, help="keep the demo in this folder, with its seed, days and log-ins"
    )
    parser.add_argument("--days", type=_days, default=90, help="days of history (default: 90)")
    parser.add_argument("--seed", type=_seed, default=7, help="another seed is another world")
    parser.add_argument("--web-port", type=_port, help="instead of MIDSPAN_WEB_BIND's port")
    parser.add_argument("--outbound-port", type=_port, help="… MIDSPAN_OUTBOUND_BIND's")
    parser.add_argument("--inbound-port", type=_port, help="… MIDSPAN_INBOUND_BIND's")
    return parser


def _days(text: str) -> int:
    return _whole(text, 1, 400)


def _seed(text: str) -> int:
    return _whole(text, 0, 2**31 - 1)


def _port(text: str) -> int:
    return _whole(text, 1, 65_535)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
