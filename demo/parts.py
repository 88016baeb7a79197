"""The demo's own processes: the services, the driver, and the back-fill."""

import asyncio
import json
import os
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from app.domain.route import decode_table
from app.settings import Settings, secret_key
from demo import bills, cashier, ground
from demo.ground import Ground, dialled
from demo.services import Cast
from demo.telling import Teller
from demo.traffic import Driver
from demo.wire import Caller

_TELL_EVERY_S = 60.0
#: How nice the back-fill is to live traffic.
_YIELDING = 10


def now_us() -> int:
    """The time, microseconds since 1970."""
    return time.time_ns() // 1000


def serve(settings: Settings) -> None:
    """Run the platform and the partners until ended; their ports are written to the home."""
    asyncio.run(_serve(settings.home, _ground(settings)))


def drive(settings: Settings) -> None:
    """Send traffic until ended."""
    asyncio.run(_drive(settings, _ground(settings)))


def prepare(settings: Settings) -> None:
    """Make the databases and import the registry, as the command line does it."""
    from app.cli import main

    rates = str(cashier.write_rates(settings.home, _ground(settings)))
    for command in (
        ["migrate"],
        ["import", str(settings.home / ground.REGISTRY_FILE)],
        ["rates", "import", rates, "--base", bills.RATES_BASE],
    ):
        if code := main(command):
            sys.exit(code)


def admit(settings: Settings) -> None:
    """Add the log-ins and the token."""
    from demo import admission

    admission.admit(settings, _ground(settings), now_us())


def _ground(settings: Settings) -> Ground:
    found = ground.read(settings.home)
    if found is None:
        raise ground.DemoError(f"no demo lives in {settings.home}: start `python -m demo` there")
    return found


async def _serve(home: Path, own: Ground) -> None:
    cast = Cast(own.model, now_us)
    ports = await cast.open(ground.read_ports(home))
    ground.write_whole(home / ground.PORTS_FILE, json.dumps(ports))
    print("services ready", flush=True)
    await cast.mind_the_doors()


async def _drive(settings: Settings, own: Ground) -> None:
    outbound, inbound = dialled(settings.outbound_bind), dialled(settings.inbound_bind)
    callers = Caller(outbound.host, outbound.port), Caller(inbound.host, inbound.port)
    driver = Driver(own.model, *callers, now_us)
    # A thread that waits for nothing and for nobody: it ends with the process.
    threading.Thread(target=cashier.Cashier(settings, own).forever, daemon=True).start()
    teller = Teller(settings, own, callers[0], now_us)
    loop = asyncio.get_running_loop()
    running, telling = loop.create_task(driver.run()), loop.create_task(teller.run())
    try:
        while not running.done():
            await asyncio.wait({running}, timeout=_TELL_EVERY_S)
            print(f"traffic: {driver.counts.line()}; {teller.told} events told", flush=True)
        await running
    finally:
        running.cancel()
        telling.cancel()
        await driver.close()


def fill(settings: Settings) -> None:
    """Load the past, giving way to everything else on the machine."""
    from app.store.open import open_store
    from collectors.loader.batch import Preparer
    from demo import telling
    from demo.history import load_history
    from demo.past import blocks

    os.nice(_YIELDING)
    own = _ground(settings)
    with closing(open_store(settings.metrics_url)) as store:
        # The home's own secret: fingerprints of scrubbed values agree with the loader's.
        preparer = Preparer(secret_key(settings), store.operations())
        preparer.use(decode_table(settings.routes_path.read_bytes()))
        lines = load_history(store, preparer, own.model, blocks(own.anchor_us, own.days))
        print(next(lines, "history: back-filled already"), flush=True)
        # Not before: an install of whose last hours nothing is there seems never heard of again.
        told = telling.tell_past(settings, own, now_us())
        print(f"history: {told} lifecycle events told", flush=True)
        print(cashier.tell_past(settings, own), flush=True)
        for line in lines:
            print(line, flush=True)
