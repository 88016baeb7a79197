"""Nothing serious stands in anybody's way on any page, light or dark (axe-core)."""

import pytest
import sample

from app.auth import incident_links, report_links
from app.auth.incident_links import Act
from dashboards.pages import PAGES

HEALTH = "/integrations/globex-issues"
#: What every page is looked at with, by its PATH; a `{}` is the id of a failed exchange.
INSIDE = {
    "/": ("/", "/?group=partner"),
    "/integrations/<slug>": (HEALTH, "/integrations/tyrell-forms"),
    "/integrations/<slug>/errors": (f"{HEALTH}/errors",),
    "/integrations/<slug>/exchanges": (f"{HEALTH}/exchanges?verdict=bad",),
    "/exchanges/<exchange_id>": ("/exchanges/{}",),
    "/integrations/<slug>/installs": (
        f"{HEALTH}/installs?window=30d", "/integrations/tyrell-forms/installs",
    ),
    "/integrations/<slug>/witnesses": (f"{HEALTH}/witnesses",),
    "/installations/<address>": ("/installations/globex-issues:inst-7",),
    "/integrations/<slug>/usage": (f"{HEALTH}/usage", "/integrations/tyrell-forms/usage"),
    "/integrations/<slug>/revenue": (f"{HEALTH}/revenue", "/integrations/tyrell-forms/revenue"),
    "/alerts": ("/alerts", "/alerts?incident=1"),
    "/alerts/rules": ("/alerts/rules",),
    "/settings": ("/settings",),
}  # fmt: skip
#: Addresses in front of the session that are no pages: they lead on, or are styles.
NO_PAGES = {"auth.static", "auth.oidc", "auth.oidc_back"}


def outside(web) -> dict[str, tuple[str, ...]]:
    """Pages that ask for no session, by their endpoint."""
    key, now_us = str(web.secret_key), sample.wall_clock_us()
    acts = [incident_links.path(key, 1, sample.ADMIN, now_us, act) for act in Act]
    return {
        "auth.login": ("/login", "/login?email=dev@globex.example"),
        "auth.follow": ("/login/link/0123456789",),
        "auth.incident": (*acts, "/alerts/incidents/1/resolve?token=forged"),
        "auth.refuse_reports": (report_links.path(key, "globex", "dev@globex.example"),),
    }


def serious(page) -> list:
    """What axe finds by light, and of colours by dark, which changes nothing else."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.wait_for_load_state("networkidle")
    told = {"resultTypes": ["violations"]}  # of what is well nothing is told, which takes longest
    found = axe.Axe().run(page, options=told).response["violations"]
    show(page, "dark")
    colours = {**told, "runOnly": ["color-contrast", "link-in-text-block"]}
    found += axe.Axe().run(page, options=colours).response["violations"]
    show(page, "light")
    return [
        (each["id"], [node["target"] for node in each["nodes"]][:3], each["nodes"][0]["html"][:160])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]


def show(page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.evaluate("name => { document.documentElement.dataset.mantineColorScheme = name }", scheme)


def test_every_page_of_the_dashboards_is_looked_at():
    assert set(INSIDE) == {page.PATH for page in PAGES}


def test_every_page_in_front_of_the_session_is_looked_at(web):
    doors = {
        rule.endpoint
        for rule in web.url_map.iter_rules()
        if rule.endpoint.startswith("auth.") and "GET" in rule.methods
    }
    assert doors - NO_PAGES == set(outside(web))


def test_nothing_serious_stands_in_anybodys_way(visit, base):
    page = visit("/")
    newest = page.request.get(f"{base}/api/v1/exchanges?verdict=bad&limit=1").json()["items"][0]
    found = {}
    for address in (address.format(newest["id"]) for each in INSIDE.values() for address in each):
        page.goto(base + address)
        page.wait_for_selector("main .page:not(.loading), main form")
        found[address] = serious(page)
    assert {address: each for address, each in found.items() if each} == {}


def test_nothing_serious_stands_in_front_of_the_session(visit, web, base):
    page = visit("/", email=sample.GLOBEX)
    page.context.clear_cookies()
    found = {}
    for address in (address for each in outside(web).values() for address in each):
        page.goto(base + address)
        page.wait_for_selector("main form, main .card")
        found[address] = serious(page)
    page.goto(f"{base}/login")
    page.fill("input[name=email]", sample.NOBODY)
    page.click("text=Mail me a link")
    page.wait_for_selector("text=Look into your mail")
    found["a link was sent"] = serious(page)
    page.goto(f"{base}/login/link/0123456789")
    page.wait_for_selector("text=Welcome back")
    found["a link is followed"] = serious(page)
    assert {address: each for address, each in found.items() if each} == {}
    visit.troubles.clear()  # the browser names what is refused


def test_what_is_not_there_stands_in_nobodys_way(visit, base):
    page = visit("/", email=sample.GLOBEX)
    page.goto(f"{base}/integrations/nobody")
    page.wait_for_selector("main .face")
    assert serious(page) == []
    visit.troubles.clear()  # the browser names the 404
