"""Nothing serious stands in anybody's way on any page, light or dark (axe-core)."""

import pytest
import sample

HEALTH = "/integrations/globex-issues"
PAGES = {
    "overview": "/",
    "health": HEALTH,
    "health of nothing": "/integrations/tyrell-forms",
    "errors": f"{HEALTH}/errors",
    "revenue": f"{HEALTH}/revenue",
    "exchanges": f"{HEALTH}/exchanges?verdict=bad",
    "alerts": "/alerts",
    "an incident": "/alerts?incident=1",
    "settings": "/settings",
    "the door": "/login",
}


def serious(page) -> list:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.wait_for_load_state("networkidle")
    return [
        (each["id"], [node["target"] for node in each["nodes"]][:3], each["nodes"][0]["html"][:160])
        for each in axe.Axe().run(page).response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_anybodys_way(visit, base, scheme):
    page = visit("/", scheme=scheme)
    found = {}
    for name, path in PAGES.items():
        page.goto(base + path)
        page.wait_for_selector("main .page:not(.loading), main form")
        found[name] = serious(page)
    page.goto(f"{base}{HEALTH}/exchanges")
    page.locator("#exchanges-grid .ag-row a").first.click()
    page.wait_for_selector("text=Timing")
    found["an exchange"] = serious(page)
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_not_there_stands_in_nobodys_way(visit, base, scheme):
    page = visit("/", email=sample.GLOBEX, scheme=scheme)
    page.goto(f"{base}/integrations/nobody")
    page.wait_for_selector("main .face")
    assert serious(page) == []
    visit.troubles.clear()  # the browser names the 404
