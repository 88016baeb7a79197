"""Exchange rates from a CSV file: `date,currency,rate`, units of a currency for one of the base."""

import re
from datetime import date
from pathlib import Path

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.commands import table_file
from app.domain.currency import MINOR_DIGITS
from app.models import ExchangeRate

COLUMNS = frozenset({"date", "currency", "rate"})
_RATE = re.compile(r"\d{1,12}(\.\d{1,12})?")
_EPOCH = date(1970, 1, 1).toordinal()
Key = tuple[str, int]


def import_rates(session: Session, path: Path, base: str) -> int:
    """Keep the rates of a file, in place of others of the same day; how many are new or changed.
    `TableFileError` naming the broken rows, with nothing kept."""
    wanted: dict[Key, str] = {}
    problems: list[str] = []
    for line, row in table_file.rows(path, COLUMNS, COLUMNS):
        try:
            key, value = _rate(row, base)
            wanted[key] = value
        except ValueError as error:
            problems.append(f"line {line}: {row.get('', error)}")
    if problems:
        raise table_file.refuse(path, problems, "")
    table = ExchangeRate
    known = {
        (currency, day): value
        for currency, day, value in session.execute(
            select(table.currency, table.day, table.value).where(table.base == base)
        )
    }
    fresh = {key: value for key, value in wanted.items() if key not in known}
    other = {key: value for key, value in wanted.items() if known.get(key, value) != value}
    if fresh:
        session.execute(insert(table), [_columns(base, *each) for each in fresh.items()])
    if other:
        session.execute(update(table), [_columns(base, *each) for each in other.items()])
    return len(fresh) + len(other)


def _columns(base: str, key: Key, value: str) -> dict[str, str | int]:
    return {"base": base, "currency": key[0], "day": key[1], "value": value}


def _rate(row: table_file.Row, base: str) -> tuple[Key, str]:
    currency, value = row.get("currency", ""), row.get("rate", "")
    if currency not in MINOR_DIGITS:
        raise ValueError(f"unknown currency {currency[:63]!r}: a code of ISO 4217, such as USD")
    if currency == base:
        raise ValueError(f"{base} is the base itself")
    if not _RATE.fullmatch(value) or not float(value):
        raise ValueError(f"{value[:63]!r} is no rate: a number above 0, such as 1.0823")
    try:
        on = date.fromisoformat(row.get("date", ""))
    except ValueError:
        raise ValueError(f"{row.get('date', '')[:63]!r} is no date such as 2026-11-22") from None
    return (currency, on.toordinal() - _EPOCH), value
