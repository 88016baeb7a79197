"""Kills proxy, loader and web at random moments under load, and counts what is missing.

Whoever got a complete answer must find its exchange in the store, once, whatever was killed. The
client keeps a ledger of what it was answered; every request has a nonce of its own in its path and
is sent once. In the end the raw rows are held against the ledger and the rollups against the rows.
"""

import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.common import report
from bench.load import Ledger, drive
from bench.recount import differences, raw_rows
from bench.stack import COMMANDS, Stack, Upstream, wait_until

KILLS = 200
EXCHANGES = 400_000
_CONNECTIONS = 24
_ROUND = 2_000


@dataclass(frozen=True)
class Verdict:
    """What a run of kills left behind."""

    kills: dict[str, int]
    sent: int
    answered: int
    recorded: int
    lost: list[str]
    doubled: list[int]
    disagreements: list[str]

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.disagreements)


def run(home: Path, *, kills: int, exchanges: int, seed: int = 1) -> Verdict:
    """At least that many kills and answered exchanges; the seed fixes order and pauses."""
    upstream = Upstream()
    try:
        with Stack(home, {"crash": upstream.url}) as stack:
            killed, ledger = uvloop.run(_storm(stack, kills, exchanges, random.Random(seed)))
            _settle(stack, ledger)
            for name in COMMANDS:
                stack.stop(name)
        return _judge(home, killed, ledger)
    finally:
        upstream.close()


async def _storm(
    stack: Stack, kills: int, exchanges: int, dice: random.Random
) -> tuple[Counter[str], Ledger]:
    ledger, killed = Ledger(), Counter[str]()
    killer = asyncio.create_task(_kill(stack, kills, killed, dice))
    while len(ledger.answered()) < exchanges or not killer.done():
        path = f"/crash/s/{dice.choice((200, 200, 200, 404, 500))}/n/{{nonce}}"
        batch = await drive(
            "127.0.0.1", stack.outbound_port, itertools.repeat(path, _ROUND),
            connections=_CONNECTIONS, first_nonce=len(ledger.answers),
        )  # fmt: skip
        ledger.answers += batch.answers
        if killer.done():
            killer.result()
    return killed, ledger


async def _kill(stack: Stack, kills: int, killed: Counter[str], dice: random.Random) -> None:
    while killed.total() < kills:
        await asyncio.sleep(dice.uniform(0.1, 1.5))
        name = dice.choice(("proxy", "proxy", "loader", "loader", "web"))
        await asyncio.to_thread(stack.kill, name)
        killed[name] += 1
        await asyncio.sleep(dice.uniform(0.0, 0.3))
        stack.start(name)
    await asyncio.to_thread(stack.wait_ready)


def _settle(stack: Stack, ledger: Ledger) -> None:
    """Wait until the loader has nothing left to load."""
    wait_until(lambda: stack.proxied("crash") >= len(ledger.answered()), "the backlog", 120)
    before = -1
    while before != (before := stack.proxied("crash")):
        time.sleep(2)


def _judge(home: Path, killed: Counter[str], ledger: Ledger) -> Verdict:
    rows = raw_rows(home)
    ids = {row.id.hex() for row in rows}
    nonces = Counter(int(row.path.rpartition("/")[2]) for row in rows)
    answered = ledger.answered()
    return Verdict(
        kills=dict(killed),
        sent=len(ledger.answers),
        answered=len(answered),
        recorded=len(rows),
        lost=[a.exchange for a in answered if a.exchange.replace("-", "") not in ids],
        doubled=[nonce for nonce, count in nonces.items() if count > 1],
        disagreements=differences(f"sqlite:///{home}/metrics.db"),
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        verdict = run(Path(home), kills=KILLS, exchanges=EXCHANGES)
    report(
        "crash",
        [
            {"figure": "answered exchanges", "count": verdict.answered, "target": EXCHANGES},
            {"figure": "kill -9", "count": sum(verdict.kills.values()), "target": KILLS},
            {"figure": "answered and lost", "count": len(verdict.lost), "target": 0},
            {"figure": "counted twice", "count": len(verdict.doubled), "target": 0},
            {"figure": "rollups unlike rows", "count": len(verdict.disagreements), "target": 0},
        ],
        {"kills": verdict.kills, "sent": verdict.sent, "recorded": verdict.recorded},
    )
    sys.exit(not verdict.clean)


if __name__ == "__main__":
    main()
