"""Billing events and rates from files: judged whole, imported whole or not at all."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from app import db
from app.cli import main
from app.commands.billing_file import import_file
from app.commands.rates import import_rates
from app.errors import TableFileError
from app.models import BilledEvent, ExchangeRate, Subscription
from tests.app.commands.test_billing import EVERYTHING, NOW_US, filled

__all__ = ["filled"]

HEAD = "id,integration,installation,subscription,type,occurred_at,interval,amount_minor,currency"
GOOD = (
    "b-{n},globex-issues,inst-{n},sub-{n},subscription_started,2025-11-01T00:00:00Z,month,4900,USD"
)


def write(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "bills.csv"
    path.write_text("\n".join((head, *lines)) + "\n")
    return path


def kept(engine: Engine) -> int:
    with db.reading(engine) as session:
        return session.scalar(select(func.count()).select_from(BilledEvent))


def test_a_file_is_imported_once(filled: Engine, tmp_path: Path) -> None:
    path = write(tmp_path, *(GOOD.format(n=n) for n in range(3)))
    assert import_file(filled, EVERYTHING, path, NOW_US, dry_run=True).accepted == 3
    assert kept(filled) == 0
    assert import_file(filled, EVERYTHING, path, NOW_US).accepted == 3
    again = import_file(filled, EVERYTHING, path, NOW_US)
    assert (again.accepted, again.duplicates) == (0, 3)
    assert import_file(filled, EVERYTHING, path, NOW_US, dry_run=True).duplicates == 3
    with db.reading(filled) as session:
        assert session.scalar(select(func.sum(Subscription.mrr_minor))) == 14_700


BROKEN = (
    GOOD.format(n=1),
    GOOD.format(n=2).replace("USD", "XXX"),
    GOOD.format(n=3).replace("4900", "-4900"),
    "too,few",
    GOOD.format(n=4).replace("4900", "49.00"),
    '"b-5\nwith a break",' + GOOD.format(n=5).partition(",")[2],
    GOOD.format(n=6).replace("globex-issues", "nobody"),
)


def test_broken_rows_are_named_and_nothing_is_imported_unless_they_are_left_out(
    filled: Engine, tmp_path: Path
) -> None:
    path = write(tmp_path, *BROKEN)
    with pytest.raises(TableFileError, match="5 broken rows; nothing was imported") as caught:
        import_file(filled, EVERYTHING, path, NOW_US)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "line 3", "line 4", "line 5", "line 6", "line 9"
    ]  # fmt: skip
    assert "unknown currency 'XXX'" in caught.value.problems[0]
    assert "it has 2 values, the head has 9" in caught.value.problems[2]
    assert kept(filled) == 0
    taken = import_file(filled, EVERYTHING, path, NOW_US, skip_bad=True)
    assert (taken.accepted, len(taken.problems)) == (2, 5)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("id,type,occurred_at,integration", "no column 'installation'"),
        (f"{HEAD},colour", "unknown column 'colour'"),
        (f"{HEAD},id", "a column twice"),
    ],
)
def test_a_file_with_another_head_is_none(tmp_path: Path, filled, head: str, said: str) -> None:
    with pytest.raises(TableFileError, match=said):
        import_file(filled, EVERYTHING, write(tmp_path, head=head), NOW_US)


@pytest.mark.parametrize("text", [b"\xff\xfe", HEAD.encode() + b'\n"open'])
def test_a_file_that_is_no_table_says_so(tmp_path: Path, filled, text: bytes) -> None:
    path = tmp_path / "bills.csv"
    path.write_bytes(text)
    with pytest.raises(TableFileError):
        import_file(filled, EVERYTHING, path, NOW_US)


def test_rates_are_kept_by_day_and_may_be_changed(filled: Engine, tmp_path: Path) -> None:
    path = write(tmp_path, "2025-11-01,USD,1.08", "2025-11-02,USD,1.09", head="date,currency,rate")
    for changed in (2, 0):
        with db.transaction(filled) as session:
            assert import_rates(session, path, "EUR") == changed
    write(tmp_path, "2025-11-01,USD,1.07", "2025-11-03,GBP,0.84", head="date,currency,rate")
    with db.transaction(filled) as session:
        assert import_rates(session, path, "EUR") == 2
    with db.reading(filled) as session:
        assert len(session.scalars(select(ExchangeRate)).all()) == 3


def test_a_broken_rate_keeps_all_of_them_out(filled: Engine, tmp_path: Path) -> None:
    path = write(tmp_path, "2025-11-01,USD,1.08", "2025-11-01,EUR,1", "soon,USD,1",
                 "2025-11-01,USD,0", "2025-11-01,GBP,-1", "2025-11-01,gbp,1", "2025-11-01,GBP,1e3",
                 head="date,currency,rate")  # fmt: skip
    with pytest.raises(TableFileError, match="6 broken rows"), db.transaction(filled) as session:
        import_rates(session, path, "EUR")
    with db.reading(filled) as session:
        assert session.scalars(select(ExchangeRate)).all() == []


def test_the_command_line_says_what_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("MIDSPAN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert main(["migrate"]) == 0
    path = write(tmp_path, GOOD.format(n=1))
    assert main(["billing", "import", str(path)]) == 1
    err = capsys.readouterr().err
    assert "line 2: unknown integration 'globex-issues'" in err
    assert main(["billing", "import", str(path), "--skip-bad"]) == 0
    assert "0 events imported" in capsys.readouterr().out
    rates = tmp_path / "rates.csv"
    rates.write_text("date,currency,rate\n2025-11-01,USD,1.08\n")
    assert main(["rates", "import", str(rates), "--base", "EUR"]) == 0
    assert main(["rates", "import", str(rates), "--base", "euro"]) == 1
    assert main(["billing", "import", str(tmp_path / "none.csv")]) == 1
    assert main(["billing", "recompute"]) == 0
    assert "Traceback" not in capsys.readouterr().err
