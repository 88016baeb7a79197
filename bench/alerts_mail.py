"""From the breach being true to the mail being accepted, on a real Midspan on loopback.

Exchanges cross the proxy to six integrations, of which one after another begins to fail; journal,
loader, scheduler and mail are as ever, and a real SMTP server notes when it took what. Two rules
are broken, that of burning budgets and one of a single minute; the first of them begins the
incident, and one mail tells of it. Rules look at whole minutes, so the breach is true when the
first minute is over with which either holds.
"""

import asyncio
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from aiosmtpd.controller import Controller

from app.domain.health import wilson
from app.domain.rule import BURN_WINDOWS
from bench.load import Answer, Ledger, drive
from bench.stack import Stack, Upstream, free_port, wait_until

PHASES, PHASE_S, CALM_S, ENOUGH_S = 6, 11, 65, 130
PER_SECOND = 6
TARGET_S = 45
_RULE = """rules:
  - {name: fast, kind: threshold, measure: error_ratio, above: 0.5, window: 1m, severity: P1}
"""
_OBJECTIVE, _WINDOW_MIN = 0.005, 28 * 24 * 60


class Box:
    """Takes mails and notes when: the first about each integration, `time.time()` seconds."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}
        self.mails = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        text = envelope.content.decode().replace("=\r\n", "")
        now_s = time.time()
        self.mails += 1
        for number in range(PHASES):
            told = f"phase-{number}:" in text
            if told and ("Rule fast:" in text or "Rule budget-burn:" in text):
                self.taken.setdefault(f"phase-{number}", now_s)
        return "250 OK"


def breach_to_mail() -> list[dict[str, Any]]:
    """One row."""
    box, upstream = Box(), Upstream()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    slugs = [f"phase-{number}" for number in range(PHASES)]
    settings = {"MIDSPAN_SMTP_URL": f"smtp://127.0.0.1:{server.port}"}
    with (
        tempfile.TemporaryDirectory() as home,
        Stack(Path(home), dict.fromkeys(slugs, upstream.url), settings=settings) as stack,
    ):
        (stack.home / "rules").mkdir()
        (stack.home / "rules" / "fast.yaml").write_text(_RULE)
        _with_objective(stack)
        stack.midspan("user", "add", "eco@acme.example", "--role", "ecosystem")
        stack.start("scheduler")
        ledgers, offset_s = _drive(stack, slugs, box)
    server.stop()
    upstream.close()
    return [_row(slugs, ledgers, offset_s, box)]


def _with_objective(stack: Stack) -> None:
    registry = stack.home / "registry.yaml"
    own = f"[{{name: availability, target: {1 - _OBJECTIVE}, window: 28d}}]"
    text = registry.read_text().replace(
        "breaker: off\n", f"breaker: off\n        objectives: {own}\n"
    )
    registry.write_text(text)
    stack.midspan("import", str(registry))


def _drive(stack: Stack, slugs: list[str], box: Box) -> tuple[dict[str, Ledger], float]:
    """The ledgers by slug, and what turns their clock into `time.time()`."""
    begun_s, done = time.perf_counter(), threading.Event()
    offset_s = time.time() - begun_s

    async def load() -> list[Ledger]:
        return await asyncio.gather(
            *(
                drive(
                    "127.0.0.1", stack.outbound_port,
                    _paths(slug, begun_s + CALM_S + number * PHASE_S, done),
                    connections=2, per_second=PER_SECOND,
                )
                for number, slug in enumerate(slugs)
            )
        )  # fmt: skip

    found: list[Ledger] = []
    thread = threading.Thread(target=lambda: found.extend(asyncio.run(load())))
    thread.start()
    limit_s = CALM_S + PHASES * PHASE_S + ENOUGH_S
    try:
        wait_until(lambda: set(box.taken) == set(slugs), "every mail", limit_s)
    finally:
        done.set()
        thread.join()
    return dict(zip(slugs, found, strict=True)), offset_s


def _paths(slug: str, failing_s: float, done: threading.Event) -> Iterator[str]:
    while not done.is_set():
        status = 503 if time.perf_counter() >= failing_s else 200
        yield f"/{slug}/s/{status}/d/1/b/100/n/{{nonce}}"


def _fast(bad: list[int], total: list[int]) -> bool:
    interval = wilson(bad[-1], total[-1])
    return total[-1] >= 20 and interval is not None and interval[0] > 0.5


def _burning(bad: list[int], total: list[int]) -> bool:
    """Over the short window of five minutes, and the long one, that no run outlasts."""
    limit = _OBJECTIVE * BURN_WINDOWS[0].budget_ratio * _WINDOW_MIN / 60
    return sum(bad[-5:]) > limit * sum(total[-5:]) and sum(bad) > limit * sum(total)


def _row(slugs: list[str], ledgers: dict[str, Ledger], offset_s: float, box: Box) -> dict[str, Any]:
    waits, since_first = [], []
    for slug in slugs:
        answers = ledgers[slug].answered()
        taken_s = box.taken[slug]
        first_s = min(each.done_s for each in answers if each.status == 503) + offset_s
        waits.append(taken_s - _true_s(answers, offset_s))
        since_first.append(taken_s - first_s)
    return {
        "breach to mail, median s": round(float(np.median(waits)), 1),
        "worst s": round(max(waits), 1),
        "first failure to mail, worst s": round(max(since_first), 1),
        "target s": TARGET_S,
        "met": "yes" if max(waits) <= TARGET_S else "NO",
    }


def _true_s(answers: list[Answer], offset_s: float) -> float:
    """The end of the first minute with which a rule holds."""
    total = Counter(int((each.sent_s + offset_s) // 60) for each in answers)
    bad = Counter(int((each.sent_s + offset_s) // 60) for each in answers if each.status == 503)
    minutes = sorted(total)
    for count in range(1, len(minutes) + 1):
        past = minutes[:count]
        told = [bad[minute] for minute in past], [total[minute] for minute in past]
        if _fast(*told) or _burning(*told):
            return (past[-1] + 1) * 60.0
    raise AssertionError("the breach never was true")
