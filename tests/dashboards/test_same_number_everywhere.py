"""Every number that docs/numbers.md defines is the same on a page and in the API.

The document is the list: a number that is added to it fails here until it is said where it shows.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from app.commands.lost_installs import judge_lost
from app.commands.reconcile import reconcile
from app.db import transaction
from app.domain.phrases import percent
from app.domain.window import DAY_US, MINUTE_US, SECOND_US
from app.models import DeprecatedOperation, ExchangeRate, Integration
from dashboards import format as show
from dashboards import words
from dashboards.mount import mount
from dashboards.pages import revenue_rows
from dashboards.pages.installs_rows import CAUSES, seconds
from dashboards.pages.witness_rows import KINDS
from tests.app.billing_worlds import bill, cancelled, changed, post, started
from tests.app.error_worlds import failing
from tests.app.lever_worlds import compared, stalls
from tests.app.lifecycle_worlds import event, tell
from tests.app.queries.test_usage import use
from tests.app.web_world import SLUGS, World, copy_of, make_template, some_traffic
from tests.app.witness_worlds import lives, settle
from tests.contract.worlds import NOW_US, exchange
from tests.dashboards.test_dash_cross_tenant import UPDATE, call_of, on_server

SLUG = SLUGS[0]
EPOCH = date(1970, 1, 1).toordinal()
DOCUMENT = Path(__file__).parents[2] / "docs/numbers.md"
Json = dict


def counts(name: str) -> Callable[[Json], list[str]]:
    return lambda it: [show.count(it["health"][name])]


#: What a page must show of the API's answers, by the name of the number.
SHOWN: dict[str, Callable[[Json], list[str]]] = {
    "proxied": counts("proxied"),
    "good": lambda it: [str(point["good"]) for point in it["points"] if point["good"]],
    "bad": lambda it: [str(point["bad"]) for point in it["points"] if point["bad"]],
    "excluded": counts("excluded"),
    "shed": counts("shed"),
    "error_ratio": lambda it: [show.ratio(it["health"]["error_ratio"])],
    "error_interval": lambda it: [show.interval(tuple(it["health"]["error_interval"]))],
    "latency_ms": lambda it: [show.ms(it["health"]["latency_ms"]["p95"])],
    "p50": lambda it: [show.ms(it["health"]["latency_ms"]["p50"])],
    "p95": lambda it: [show.ms(it["health"]["latency_ms"]["p95"])],
    "p99": lambda it: [show.ms(it["health"]["latency_ms"]["p99"])],
    "status": lambda it: [words.status(it["health"]["status"]).text],
    "by_fault": lambda it: list(it["health"]["by_fault"]),
    "main_fault": lambda it: list(it["health"]["by_fault"]),
    "sentence": lambda it: [it["health"]["sentence"].split("`")[0].strip()],
    "total_ms": lambda it: [show.ms(it["log"][0]["total_ms"])],
    "exchanges": counts("recorded"),
    "recorded": counts("recorded"),
    "total": lambda it: [show.count(group["total"]) for group in it["groups"]],
    "installations": lambda it: [show.count(group["installations"]) for group in it["groups"]],
    "standing": lambda it: [group["standing"] for group in it["groups"]],
    "lost_cause": lambda it: [
        each["advice"] for each in it["stuck"]["items"] if each["lost_cause"]
    ],
    "left": lambda it: [it["churn"]["sentence"]],
    "active": lambda it: [show.count(it["usage"]["installations"]["active"])],
    "stickiness": lambda it: [show.ratio(it["usage"]["stickiness"]["value"])],
    "customers_active": lambda it: [show.count(it["usage"]["customers_active"])],
    "exchanges_before": lambda it: [
        show.change(it["usage"]["exchanges"], it["usage"]["exchanges_before"])
    ],
    "unnamed": lambda it: [f"{show.count(it['usage']['unnamed'])} name nobody"],
    "concentration": lambda it: [show.ratio(it["usage"]["concentration"]["top_1"]["value"])],
    "change": lambda it: [each["change"] for each in it["usage"]["operations"] if each["change"]],
    "callers": lambda it: [
        f"{caller['exchanges']} of {each['looked_at']}"
        for each in it["usage"]["deprecated"]
        for caller in each["callers"]
    ],
    "cohorts": lambda it: [
        f"{number} of {each['size']}"
        for each in it["usage"]["cohorts"]
        if each["size"]
        for number in each["active"]
    ],
    "waited_seconds": lambda it: [show.span(round(it["usage"]["waited_seconds"] * SECOND_US))],
    "used_ratio": lambda it: [show.ratio(it["usage"]["quota"]["ways"][0]["used_ratio"])],
    "entered": lambda it: [show.count(it["funnel"]["entered"])],
    "activated": lambda it: [show.ratio(it["funnel"]["activated_ratio"])],
    "reached": lambda it: [show.count(step["reached"]) for step in it["funnel"]["steps"]],
    "ratio_of_previous": lambda it: [
        show.ratio(step["ratio_of_previous"]) for step in it["funnel"]["steps"][1:]
    ],
    "ratio_of_entered": lambda it: [
        show.ratio(step["ratio_of_entered"]) for step in it["funnel"]["steps"]
    ],
    "median_seconds": lambda it: [seconds(it["funnel"]["steps"][-1]["median_seconds"])],
    "p90_seconds": lambda it: [seconds(it["funnel"]["steps"][-1]["p90_seconds"])],
    "median_step_seconds": lambda it: [
        seconds(step["median_step_seconds"]) for step in it["funnel"]["steps"][1:]
    ],
    "p90_step_seconds": lambda it: [
        seconds(step["p90_step_seconds"]) for step in it["funnel"]["steps"][1:]
    ],
    "activated_interval": lambda it: [show.interval(tuple(it["funnel"]["activated_interval"]))],
    "lost": lambda it: [
        f"{number} {CAUSES[cause]}"
        for step in it["funnel"]["steps"]
        for cause, number in step["lost"].items()
        if number
    ],
    "waiting": lambda it: [show.count(step["waiting"]) for step in it["funnel"]["steps"]],
    "uninstalled": lambda it: [show.count(it["funnel"]["uninstalled"])],
    "converted": lambda it: [show.count(it["funnel"]["converted"]["installations"])],
}
SHOWN |= {
    kind: lambda it, kind=kind: [KINDS[kind]] * bool(it["reconciliation"]["counts"][kind])
    for kind in KINDS
}
SHOWN |= {
    **{name: lambda it, name=name: [money(it["revenue"][name]["amount_minor"])]
       for name in ("mrr", "arr")},
    **{name: lambda it, name=name: [money(it["revenue"][name])]
       for name in ("arpa_minor", "ltv_minor", "at_risk_minor")},
    **{name: lambda it, name=name: [money(it["revenue"]["movements"][name])]
       for name in ("closing", "expansion", "contraction", "churn", "reactivation")},
    "movement: new": lambda it: [money(it["revenue"]["movements"]["new"])],
    **{name: lambda it, name=name: [money(it["revenue"]["payments"][name])]
       for name in ("paid_minor", "refunded_minor", "platform_share_minor", "net_payout_minor",
                    "failed_minor", "usage_minor")},
    **{name: lambda it, name=name: [both(it["revenue"][name], money)]
       for name in ("grr", "nrr", "revenue_churn")},
    **{name: lambda it, name=name: [both(it["revenue"][name], str)]
       for name in ("logo_churn", "trial_conversion")},
    "customers": lambda it: [show.count(it["revenue"]["customers"])],
    "unmatched_subscriptions": lambda it: [
        show.count(it["revenue"]["unmatched_subscriptions"])
    ],
    "rate_date": lambda it: [
        revenue_rows.day(date.fromisoformat(each["rate_date"]).toordinal() - EPOCH)
        for each in it["revenue"]["currencies"] if each["rate_date"]
    ],
}  # fmt: skip


SHOWN |= {
    "paid_for": lambda it: [show.count(each["paid"]) for each in it["levers"]["conversion"]],
    "to_activation": lambda it: [seconds(it["levers"]["to_activation"]["median_seconds"])],
    "to_payment": lambda it: [seconds(it["levers"]["to_payment"]["median_seconds"])],
    "stalled": lambda it: [
        f"{each['installations']} for {each['step']}" for each in it["levers"]["stalled"]
    ],
    "own": lambda it: [show.ratio(each["own"]) for each in activation(it)],
    **{
        name: lambda it, name=name: [percent(each["others"][name]) for each in activation(it)]
        for name in ("lower", "median", "upper")
    },
}


def activation(answers: Json) -> list[Json]:
    figures = answers["levers"]["benchmark"]["figures"]
    return [each for each in figures if each["figure"] == "activation"]


def money(amount_minor: int) -> str:
    return show.money(amount_minor, "USD")


def both(ratio: Json, shown: Callable[[int], str]) -> str:
    return f"{shown(ratio['numerator'])} of {shown(ratio['denominator'])}"


#: What defines no number of an integration: codes, words, and Midspan's own counters.
OTHER_SECTIONS = ("Refused exchanges", "Status", "Midspan itself")
#: Numbers that one side alone has, and why; the other has nothing to differ.
ONE_SIDED = {
    "within": "a way to ask",
    "order": "a way to ask",
    "any": "a way to ask",
    "enough": "a page says that there are too few, where it matters",
    "by_outcome": "a chart of a page draws it from `series`, as shares",
    "opening": "a page tells how much more or less the closing is",
    "request_bytes": "the API alone",
    "response_bytes": "the API alone",
    "churn_ratio": "a page says it in a sentence",
    "churn_interval": "a page says it in a sentence",
    "unmatched": "the API alone",
    "unsure_minor": "the API alone",
    "unconverted": "the API alone",
    "versions": "a page shows operations, with the version in their names",
    "known_from": "where one looks from is said in the definition",
    **dict.fromkeys(
        ("listed", "missing_here", "missing_there", "different_state"),
        "counted while the answer is made, for whoever asks how a list differs",
    ),
    "reasons": "a page shows the sentence, which is made of them",
    "lost_reasons": "a page tells of the largest at a step, in words",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> Iterator[tuple[Json, str]]:
    """What the API says of one integration in one hour, and every text its pages are told."""
    home = tmp_path_factory.mktemp("numbers")
    tokens = make_template(home / "template")
    world = World(copy_of(home / "template", home / "home"), tokens)
    world.load(some_traffic(), errors=[failing(number=1234)])
    tell(world.engine, *installs())
    world.dash = mount(world.app, world.settings)
    earn(world)
    compared(world.engine, 7)
    stalls(world.engine, "inst-e")
    client = world.client("globex")
    base = f"/api/v1/integrations/{SLUG}"
    use_it(world)
    disagree(world)
    told = {
        "usage": client.get(f"{base}/usage").json,
        "churn": client.get(f"{base}/churn").json,
        "health": client.get(f"{base}/health?window=1h").json,
        "points": client.get(f"{base}/series?window=1h&step=1m").json["points"],
        "groups": client.get(f"{base}/error-groups?window=1h").json["items"],
        "funnel": client.get(f"{base}/funnel?window=1h").json,
        "reconciliation": client.get(f"{base}/reconciliation").json,
        "stuck": client.get(f"{base}/stuck-installs").json,
        "log": client.get("/api/v1/exchanges?verdict=bad&window=1h").json["items"],
    }
    ends = {"from": "2025-10-21T00:00:00Z", "to": "2025-11-20T00:00:00Z"}
    told["revenue"] = client.get(f"{base}/revenue", query_string=ends).json
    told["levers"] = client.get(f"{base}/levers", query_string=ends).json
    yield told, json.dumps(list(pages(world, client)), ensure_ascii=False)
    world.close()


def use_it(world) -> None:
    """Installations that came, stayed and left, a limit, and an operation of old times."""
    with transaction(world.engine) as session:
        owner = session.query(Integration).filter_by(slug=SLUG).one()
        owner.requests_per_second = 50
        session.add(
            DeprecatedOperation(integration_id=owner.id, position=0, template="GET /v1/old")
        )
    world.load([use(age, f"inst-{n}", second=n) for n in range(9) for age in (1, 30)])
    world.load([use(3, "inst-20", operation="GET /v1/old"), use(3, "")])


def disagree(world) -> None:
    """An install that is late, and one of every contradiction between witnesses."""
    tell(world.engine, event("started", NOW_US - 3 * DAY_US, installation="late"))
    settle(world.engine, world.store, SLUG, lives(0, len(KINDS)))
    # What was settled crossed without a record of its own: leave some that name nobody.
    world.load(
        [exchange(NOW_US - DAY_US + n, integration=SLUG, installation="") for n in range(2_000)]
    )
    judge_lost(world.engine, world.store, NOW_US)
    reconcile(world.engine, world.store, NOW_US)


def installs() -> Iterator[Json]:
    """Installs of the last hour that came differently far; one was uninstalled."""
    steps = ("started", "redirected", "authorized", "verified", "activated")
    for number in range(180):
        for at, step in enumerate(steps[: 1 + number % 5]):
            at_us = NOW_US - 50 * MINUTE_US + (at * (40 + number % 9)) * SECOND_US
            yield event(step, at_us, installation=f"i{number}")
    yield event("declined", NOW_US - MINUTE_US, installation="i0")
    yield event("uninstalled", NOW_US - MINUTE_US, installation="i4", reason="price")


def earn(world) -> None:
    """One of everything that moves money, in two currencies."""
    with transaction(world.engine) as session:
        session.add(ExchangeRate(base="EUR", currency="USD", day=20_000, value="1.0823"))
    events = [
        started(-20, "sub-a", 4900), started(-20, "sub-b", 10_000), started(-20, "sub-c", 700),
        started(-40, "sub-d", 1100), cancelled(-30, "sub-d"), started(8, "sub-d", 1300),
        changed(3, "sub-a", 5500), changed(4, "sub-b", 8800), cancelled(5, "sub-c"),
        started(6, "sub-e", 2000, currency="EUR"), bill("trial_started", 2, "sub-f"),
        bill("invoice_paid", 7, "sub-a", amount=5500, platform_share_ratio=0.3),
        bill("invoice_refunded", 7, "sub-a", amount=600), bill("usage_charged", 7, amount=123),
        bill("invoice_failed", 9, "sub-a", amount=4321),
    ]  # fmt: skip
    assert post(world, events).json["rejected"] == []


def pages(world, client) -> Iterator[Json]:
    for pathname in (f"/integrations/{SLUG}", f"/integrations/{SLUG}/exchanges",
                     f"/integrations/{SLUG}/errors", f"/integrations/{SLUG}/installs",
                     f"/integrations/{SLUG}/witnesses", f"/integrations/{SLUG}/revenue",
                     "/"):  # fmt: skip
        search = "?from=2025-10-21T00:00:00Z&to=2025-11-20T00:00:00Z"
        search = search if pathname.endswith("/revenue") else "?window=1h"
        for output, wanted in on_server(world.dash).items():
            values = {"pathname": pathname, "search": search, "href": pathname}
            answer = client.post(UPDATE, json=call_of(output, wanted, values))
            if answer.status_code == 200:
                yield answer.json
    for output, wanted in on_server(world.dash).items():
        values = {"pathname": f"/integrations/{SLUG}/usage", "search": "", "href": "/"}
        yield client.post(UPDATE, json=call_of(output, wanted, values)).json


def documented() -> list[str]:
    """The names in the first column of the tables about traffic, health and pages."""
    sections = re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE)
    text = "".join(each for each in sections if not each.startswith(OTHER_SECTIONS))
    cells = re.findall(r"^\| ([^|]*`[^|]*) \|", text, re.MULTILINE)
    return sorted({name for cell in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)})


def test_every_number_of_the_document_is_known_here():
    unknown = set(documented()) - SHOWN.keys() - ONE_SIDED.keys()
    assert not unknown, f"say where a page shows {sorted(unknown)}, or why none does"
    assert len(documented()) > 10


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_shows_the_number_that_the_api_says(answers, name):
    api, page = answers
    expected = SHOWN[name](api)
    assert expected
    for text in expected:
        assert json.dumps(text, ensure_ascii=False)[1:-1] in page, (name, text)
