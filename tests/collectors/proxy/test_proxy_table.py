"""The routing file, and the proxy's own pages."""

import pytest

from app.domain.words import Direction
from collectors.proxy.metrics import TABLES_DAMAGED
from tests.collectors.proxy.kit import (
    OK,
    FakeJournal,
    Hub,
    Server,
    Stage,
    Upstream,
    answering,
    publish,
    route_to,
    run,
    settings_of,
    staged,
    table_of,
    until,
)


def test_a_new_table_is_taken_as_a_whole(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).status == 200
            publish(
                stage.settings,
                table_of(route_to(up.port, integration="initech"), revision=2),
            )
            await until(lambda: stage.hub.router.revision == 2)
            assert (await caller.get("/globex/x")).status == 404
            assert (await caller.get("/initech/x")).status == 200
            inbound = await stage.caller(Direction.INBOUND)
            assert (await inbound.get("/x")).status == 404

    run(play())


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"version": 99}', b'{"version": 1}', b"\xff"])
def test_a_damaged_table_changes_nothing(tmp_path, raw):
    async def play():
        async with staged(tmp_path) as (stage, _):
            stage.settings.routes_path.write_bytes(raw)
            await until(lambda: stage.hub.counts[TABLES_DAMAGED] == 1)
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).status == 200
            assert (await caller.get("/-/readyz")).status == 200

    run(play())


def test_a_table_that_vanishes_changes_nothing(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            stage.settings.routes_path.unlink()
            assert (await (await stage.caller()).get("/globex/x")).status == 200
            publish(stage.settings, table_of(route_to(up.port), revision=5))
            await until(lambda: stage.hub.router.revision == 5)

    run(play())


def test_the_proxy_starts_without_a_table_and_takes_it_when_it_comes(tmp_path):
    async def play():
        up = Upstream(answering(OK))
        listening = await up.serve()
        settings = settings_of(tmp_path)
        server = Server(Hub(settings, FakeJournal()), settings)
        await server.start()
        stage = Stage(settings, server, server.hub.tap._journal)
        caller = await stage.caller()
        assert (await caller.get("/-/livez")).status == 200
        assert (await caller.get("/-/readyz")).status == 503
        assert (await caller.get("/globex/x")).status == 404
        publish(settings, table_of(route_to(up.port)))
        await until(lambda: server.hub.router.revision == 1)
        assert (await caller.get("/-/readyz")).status == 200
        assert (await caller.get("/globex/x")).status == 200
        await stage.close()
        await server.stop(0.2)
        up.cancel()
        listening.close()

    run(play())


def test_own_pages_are_not_exchanges(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            caller = await stage.caller()
            for path, status in (("/-/livez", 200), ("/-/metrics", 200), ("/-/other", 404)):
                assert (await caller.get(path)).status == status
            caller.send(b"HEAD /-/livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await caller.answer(bodiless=True)).status == 200
            caller.send(b"POST /-/livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            assert (await caller.answer()).status == 405
            assert stage.totals == (0, 0, 0)

    run(play())


def test_metrics_add_up(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            caller = await stage.caller()
            await caller.get("/globex/x")
            await caller.get("/nobody/x")
            answer = await caller.get("/-/metrics")
            assert answer.fields["content-type"].startswith("text/plain; version=0.0.4")
            lines = dict(
                line.rsplit(" ", 1)
                for line in answer.body.decode().splitlines()
                if not line.startswith("#")
            )
            labels = 'direction="outbound",worker="worker-0"'
            assert lines[f"midspan_proxied_total{{{labels}}}"] == "2"
            assert lines[f"midspan_recorded_total{{{labels}}}"] == "2"
            assert lines['midspan_callers{worker="worker-0"}'] == "1"
            assert lines['midspan_routes_revision{worker="worker-0"}'] == "1"

    run(play())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/globex/-/other", 404, "no_such_path"),
        ("/globex/-/webhooks/", 404, "no_such_path"),
        ("/globex/-/webhooks/a.b", 405, "method_not_allowed"),
        ("/", 404, "no_such_integration"),
    ],
)
def test_paths_that_lead_nowhere(tmp_path, path, status, code):
    async def play():
        async with staged(tmp_path) as (stage, _):
            caller = await stage.caller()
            answer = await caller.get(path)
            assert answer.status == status
            assert (await stage.journal.record()).error == code
            assert answer.fields.get("allow") == ("POST" if status == 405 else None)

    run(play())
