"""Structured logs of every process: one event a line on standard error.

Events are short words (`segment_sealed`), facts are keys. `text` is for people, `json` for
machines. Values that came from the wire are written escaped, so no log line can be forged.
"""

import logging
import sys
from typing import Any

import structlog


def configure(process: str, level: str = "info", form: str = "text") -> None:
    """Set up logging once per process; `process` is bound to every event."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "process", "event"], bool_as_flag=False
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _stamp(process),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _stamp(process: str) -> structlog.typing.Processor:
    """Not a context variable: threads begin with an empty context."""

    def stamp(
        _logger: Any, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event.setdefault("process", process)
        return event

    return stamp


def get(name: str) -> Any:
    """The logger of a module or part; it may be asked for before `configure`."""
    return structlog.get_logger(part=name)
