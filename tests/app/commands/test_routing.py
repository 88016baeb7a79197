"""Publishing the routing table: whole, only when needed, never an older one over a newer."""

import json
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app import db
from app.commands import registry_import, routing
from app.commands.registry_values import IntegrationEntry, PartnerEntry, RampEntry, RegistryFile
from app.domain.route import (
    EMPTY_TABLE,
    Breaker,
    CapturePolicy,
    Limits,
    Ramp,
    Route,
    Timeouts,
    TlsFiles,
    decode_table,
)
from app.errors import RegistryUnavailable

ENTRY = IntegrationEntry(
    "issues", "Issues", api_base_url="https://api.example", webhook_url="https://hooks.example/a",
    inbound_token_sha256=("1" * 64,), allow_private_addresses=True, timeouts=Timeouts(1, 2, 3, 4),
    limits=Limits(2.5, 3, 4, 5, 6, 7), operations=("GET /b", "GET /a"), ramp=RampEntry(1, 2, 3),
    breaker=Breaker(0.1, 2, 3, 4, 5), paused=True, capture=CapturePolicy.NONE,
    tls=TlsFiles("/a", "/b", "/c"),
)  # fmt: skip
FILE = RegistryFile("Acme", "http://127.0.0.1:9", (PartnerEntry("globex", "G", (), (ENTRY,)),))


def apply(engine: Engine, file: RegistryFile) -> None:
    with db.transaction(engine) as session:
        registry_import.apply(session, file, now_us=1, actor="test")


def published(path: Path):
    return decode_table(path.read_bytes())


def test_a_registry_that_was_never_imported_publishes_an_empty_table(
    engine: Engine, tmp_path: Path
) -> None:
    assert routing.publish(engine, tmp_path / "routes.json")
    assert published(tmp_path / "routes.json") == EMPTY_TABLE


def test_the_table_says_what_the_registry_says(engine: Engine, tmp_path: Path) -> None:
    apply(engine, FILE)
    routing.publish(engine, tmp_path / "routes.json")
    table = published(tmp_path / "routes.json")
    assert (table.revision, table.platform_name) == (1, "Acme")
    assert table.platform_api_base_url == "http://127.0.0.1:9"
    assert table.routes == (
        Route(
            "issues", "globex", "https://api.example", "https://hooks.example/a", ("1" * 64,), True,
            Timeouts(1, 2, 3, 4), Limits(2.5, 3, 4, 5, 6, 7), ("GET /b", "GET /a"),
            Ramp(1, 2, 3, begun_us=1), Breaker(0.1, 2, 3, 4, 5), True, CapturePolicy.NONE,
            TlsFiles("/a", "/b", "/c"),
        ),
    )  # fmt: skip


def test_an_unchanged_table_is_not_written_again(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    apply(engine, FILE)
    assert routing.publish(engine, path)
    before = path.stat()
    assert not routing.publish(engine, path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_changed_or_damaged_file_is_written_again(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    apply(engine, FILE)
    routing.publish(engine, path)
    path.write_text(json.dumps({"version": 1}))
    assert routing.publish(engine, path)
    assert published(path).revision == 1


def test_the_file_is_private_and_nothing_is_left_beside_it(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    routing.publish(engine, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {each.name for each in tmp_path.iterdir()} == {"routes.json", "routes.json.lock"}


def test_a_registry_that_is_away_leaves_the_table_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    path.write_bytes(b"the last table")
    engine = db.registry_engine(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(RegistryUnavailable):
        routing.publish(engine, path)
    assert path.read_bytes() == b"the last table"


def test_a_folder_that_is_not_there_is_an_os_error(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        routing.publish(engine, tmp_path / "none" / "routes.json")


def test_readers_and_publishers_at_once_never_see_half_a_table_or_go_back(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = db.registry_engine(sqlite_url)
    path = tmp_path / "routes.json"
    apply(engine, FILE)
    routing.publish(engine, path)
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(published(path).revision)

    def publish() -> None:
        while not done.is_set():
            routing.publish(engine, path)

    threads = [threading.Thread(target=target) for target in (read, publish, publish)]
    for thread in threads:
        thread.start()
    for number in range(12):
        apply(engine, replace(FILE, platform_name=f"Acme {number}"))
        routing.publish(engine, path)
    done.set()
    for thread in threads:
        thread.join()
    assert seen == sorted(seen)
    assert published(path).revision == 13
    engine.dispose()
