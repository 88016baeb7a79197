"""Drawn columns as the records a proxy would have written, and how the past is cut into blocks.

The last day is drawn whole and kept as raw exchanges, rows and rollups alike. Before it raw
exchanges are past the demo's retention, and only rollups are left: these are drawn as a sample,
one exchange in `Block.one_in`, whose sums the back-fill multiplies, so that a chart of 90 days
stands at the height of live traffic without 60 million exchanges being drawn.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from app.domain.ids import exchange_id
from app.domain.window import DAY_US, HOUR_US, Window
from app.domain.words import Direction, Kind, Outcome
from collectors.record import NOT_REACHED, Capture, Exchange
from demo import installs, names
from demo.cast import CAST, Act, Flow, Role
from demo.draw import ERRORS, Block, Columns, draw
from demo.model import STATUS, Ending, Model
from demo.noise import hashed
from demo.services import BODIES, REVOKED, encode

#: How long the demo keeps raw exchanges.
RAW_US = DAY_US
_WHOLE = (HOUR_US, 1)
_RECENT = (6 * HOUR_US, 30)
_OLD = (2 * DAY_US, 400)
_CAPTURED_RATIO = 0.01
_FAILURE_BODIES = {STATUS[ending]: encode(body) for ending, body in BODIES.items()}
_FAILURE_BODIES[401] = encode(REVOKED)
_DETAILS = {
    "connect_refused": "Connection refused",
    "tls_expired": "certificate has expired",
    "first_byte_timeout": "after {ms} ms",
}


def blocks(anchor_us: int, days: int) -> list[Block]:
    """The past before `anchor_us`, newest block first."""
    spans = ((RAW_US, _WHOLE), (8 * DAY_US, _RECENT), (days * DAY_US, _OLD))
    found, end = [], anchor_us
    for reach, (length, one_in) in spans:
        floor = anchor_us - min(reach, days * DAY_US)
        while end > floor:
            start = max(end - length, floor)
            found.append(Block(Window(start, end), one_in))
            end = start
    return found


def records(model: Model, block: Block) -> list[Exchange]:
    """The exchanges of a block, all integrations, oldest first."""
    found: list[Exchange] = []
    for number, (role, flow) in enumerate(flows()):
        found.extend(_records(model, role, flow, block, number))
    if block.one_in == 1:
        found.extend(_told_partners(model, block))
    found.sort(key=lambda record: record.started_us)
    return found


def _told_partners(model: Model, block: Block) -> Iterator[Exchange]:
    """The webhooks that tell partners of new installations; 500 where that broke."""
    name_id = _ids(model.seed, len(flows()), block)
    reach = Window(block.window.start_us - DAY_US, block.window.end_us)
    for install in installs.begun(model.seed, model.anchor_us, reach):
        at_us = install.verified_us
        if at_us is None or not block.window.start_us <= at_us < block.window.end_us:
            continue
        if not _answers(model, install.role, at_us):
            continue
        own_id = name_id(at_us)
        status = 500 if install.broken else 202
        body = names.payload(installs.TOPIC, install.name, at_us)
        record = Exchange(
            own_id, at_us, int(Direction.OUTBOUND), int(Kind.WEBHOOK), install.role.slug,
            install.name, install.customer, "", installs.TOPIC, "POST",
            f"/-/webhooks/{installs.TOPIC}", status,
            int(Outcome.SERVER_ERROR if install.broken else Outcome.OK), "", "",
            200, 0, NOT_REACHED, 60_000, 62_000, len(body), 0, names.delivery(at_us), 1,
            own_id.hex(),
        )  # fmt: skip
        if install.broken:
            answer = encode(BODIES[Ending.BROKEN])
            record.response_bytes = len(answer)
            json = [("Content-Type", "application/json")]
            record.capture = Capture([("User-Agent", "acme-cloud/3.2"), *json], body, json, answer)
        yield record


def _answers(model: Model, role: Role, at_us: int) -> bool:
    """Whether the partner's hosts answer at that moment."""
    now = np.array([at_us], dtype=np.int64)
    return not any(asked(role, now)[0] for asked in (model.mute, model.down, model.expired))


def flows() -> list[tuple[Role, Flow]]:
    """Every flow of the demo, in a fixed order."""
    return [(role, flow) for role in CAST for flow in role.flows]


def _records(model: Model, role: Role, flow: Flow, block: Block, number: int) -> Iterator[Exchange]:
    columns = draw(model, role, flow, block)
    name_id = _ids(model.seed, number, block)
    seen = hashed(model.seed, "capture", columns.event) < _CAPTURED_RATIO
    for row, captured in zip(_rows(columns), seen.tolist(), strict=True):
        record = _record(role, flow, row, name_id)
        if captured or record.outcome != Outcome.OK:
            record.capture = _capture(flow, flow.acts[row[1]], record, row[3])
        yield record


def _rows(columns: Columns) -> Iterator[tuple[int, ...]]:
    return zip(*(getattr(columns, each).tolist() for each in Columns.__slots__), strict=True)


def _record(
    role: Role, flow: Flow, row: Sequence[int], name_id: Callable[[int], bytes]
) -> Exchange:
    started, act_number, installation, event, attempt, status, outcome, error = row[:8]
    queue, connect, tls, first_byte, total, asked, answered = row[8:]
    act = flow.acts[act_number]
    webhook = flow.kind is Kind.WEBHOOK
    method, template = ("POST", f"/-/webhooks/{act.name}") if webhook else names.split_act(act.name)
    code, own_id = ERRORS[error], name_id(started)
    return Exchange(
        own_id, started, int(flow.direction), int(flow.kind), role.slug,
        names.installation(role, installation), names.customer(role, installation),
        act.name if act.told else "", act.name if webhook else "",
        method, names.path_of(template, event), status, outcome,
        code, _DETAILS.get(code, "").format(ms=role.first_byte_ms),
        queue, connect, tls, first_byte, total, asked, answered,
        names.delivery(event) if webhook else "", attempt,
        own_id.hex(),
    )  # fmt: skip


def _ids(seed: int, number: int, block: Block) -> Callable[[int], bytes]:
    """Ids that no other flow or block has: the flow, the block and a running number are in them."""
    node = int(hashed(seed, "history", np.zeros(1, dtype=np.int64))[0] * 2**30)
    place = number << 27 | (block.window.start_us // HOUR_US & 0x7F) << 20
    counter = iter(range(place, place + (1 << 20)))
    return lambda started_us: exchange_id(started_us, node, next(counter))


def _capture(flow: Flow, act: Act, record: Exchange, event: int) -> Capture:
    inbound = flow.direction is Direction.INBOUND
    agent = f"{record.integration}/1.8" if inbound else "acme-cloud/3.2"
    sent, asked = [("User-Agent", agent), ("Accept", "application/json")], b""
    if record.request_bytes:
        asked = names.payload(act.name, record.installation, event)
        sent.append(("Content-Type", "application/json"))
    if record.delivery:
        sent.append(("Webhook-Id", record.delivery))
    record.request_bytes = len(asked)
    if record.status == 0:
        return Capture(sent, asked, [], b"")
    answered = _FAILURE_BODIES.get(record.status, b"")
    if not answered and flow.kind is Kind.REQUEST:
        answered = encode({"path": record.path, "items": [{"id": event % 10**6, "state": "open"}]})
    record.response_bytes = len(answered)
    return Capture(sent, asked, [("Content-Type", "application/json")], answered)
