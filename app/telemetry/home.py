"""What the other processes of a home say about themselves in its `status/` folder.

`status/<process>.json` is swapped whole by its process about once a second. Proxies run side by
side, so `proxy*.json` are added up. A file that is missing or damaged gives no number, and its age
grows: a process that died is seen by its silence. The same home read by two web workers is one
instance (`setup.home_resource`), so nothing is counted twice.
"""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from app.telemetry.setup import home_resource, meter_provider


class _Number(NamedTuple):
    """One number of a status file: files `<process>*.json`, their `key`, and what it is called."""

    process: str
    key: str
    name: str
    unit: str
    description: str
    counter: bool = True


NUMBERS = (
    _Number("proxy", "proxied", "midspan.proxied", "", "Exchanges that crossed the proxy"),
    _Number("proxy", "recorded", "midspan.recorded", "", "Exchanges handed to the journal"),
    _Number("proxy", "shed", "midspan.shed", "", "Exchanges that passed unrecorded"),
    _Number("loader", "exchanges", "midspan.loader.rows", "", "Exchanges loaded"),
    _Number("loader", "lag_bytes", "midspan.journal.lag", "By", "Journal not yet loaded", False),
)
PROCESSES = ("proxy", "loader")
_watched: set[Path] = set()


def watch_home(home: Path) -> None:
    """Show the numbers of that home with the metrics of this process; once per home."""
    if home in _watched:
        return
    _watched.add(home)
    folder = home / "status"
    meter = meter_provider(home_resource(str(home))).get_meter("midspan.home")
    for number in NUMBERS:
        _observe(meter, number, folder)
    for process in PROCESSES:
        meter.create_observable_gauge(
            f"midspan.{process}.status.age",
            [_age_of(folder, process)],
            unit="s",
            description=f"Since the {process} last wrote its status",
        )


def _observe(meter: Meter, number: _Number, folder: Path) -> None:
    create = meter.create_observable_counter if number.counter else meter.create_observable_gauge
    create(
        number.name,
        [_value_of(folder, number)],
        unit=number.unit,
        description=number.description,
    )


def _value_of(folder: Path, number: _Number) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        found = [read(path).get(number.key) for path in _files(folder, number.process)]
        numbers = [value for value in found if isinstance(value, int | float)]
        return [Observation(sum(numbers))] if numbers else []

    return observe


def _age_of(folder: Path, process: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        written = [path.stat().st_mtime for path in _files(folder, process) if path.exists()]
        return [Observation(max(0.0, time.time() - max(written)))] if written else []

    return observe


def _files(folder: Path, process: str) -> list[Path]:
    return sorted(folder.glob(f"{process}*.json"))


def read(path: Path) -> dict[str, Any]:
    """The numbers in a status file; empty when it is missing, damaged or something else."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
