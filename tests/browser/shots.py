"""Pictures of every page of a running web process with the sample in it:
`python tests/browser/shots.py ADDRESS FOLDER [NAME…]`.

For people: look at them before a change of the pages is done.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ADMIN, PASSWORD = "admin@acme.example", "correct-horse-battery-staple"
WIDE, NARROW = (1440, 900), (390, 844)
HEALTH = "/integrations/globex-issues"
#: The newest failure of that integration, and the page in front of the session.
NEWEST, DOOR = f"{HEALTH}/exchanges?outcome=server_error&topic=issue.updated", "/login"
#: name: path, size, scheme
SHOTS: dict[str, tuple[str, tuple[int, int], str]] = {
    "health_1h": (f"{HEALTH}?window=1h", WIDE, "light"),
    "slow": ("/integrations/initech-chat", WIDE, "light"),
    "silent": ("/integrations/hooli-sync", WIDE, "light"),
    "few": ("/integrations/soylent-crm", WIDE, "light"),
    "empty": ("/integrations/tyrell-forms", WIDE, "light"),
    "exchanges_empty": ("/integrations/tyrell-forms/exchanges", WIDE, "light"),
    "errors_empty": ("/integrations/tyrell-forms/errors", WIDE, "light"),
    "installs_empty": ("/integrations/tyrell-forms/installs", WIDE, "light"),
    "witnesses_empty": ("/integrations/tyrell-forms/witnesses", WIDE, "light"),
    "usage_empty": ("/integrations/tyrell-forms/usage", WIDE, "light"),
    "revenue_empty": ("/integrations/soylent-crm/revenue", WIDE, "light"),
    "missing": ("/integrations/nobody", WIDE, "light"),
    "missing_narrow": ("/integrations/nobody", NARROW, "dark"),
}
#: Looked at wide and narrow, light and dark: `name`, `name_narrow`, each also with `_dark`.
EVERY = {
    "overview": "/",
    "overview_groups": "/?group=partner",
    "health": HEALTH,
    "errors": f"{HEALTH}/errors",
    "exchanges": f"{HEALTH}/exchanges?verdict=bad",
    "exchange": NEWEST,
    "installs": f"{HEALTH}/installs?window=30d",
    "witnesses": f"{HEALTH}/witnesses",
    "story": "/installations/globex-issues:inst-7",
    "usage": f"{HEALTH}/usage",
    "revenue": f"{HEALTH}/revenue?window=90d",
    "alerts": "/alerts",
    "incident": "/alerts?incident=1",
    "rules": "/alerts/rules",
    "settings": "/settings",
    "login": DOOR,
}
SHOTS |= {
    name + size_word + scheme_word: (path, size, scheme)
    for name, path in EVERY.items()
    for size_word, size in (("", WIDE), ("_narrow", NARROW))
    for scheme_word, scheme in (("", "light"), ("_dark", "dark"))
}
#: For the README: what fits a screen.
PICTURES: dict[str, tuple[str, tuple[int, int], str]] = {
    "picture_health": (HEALTH, (1440, 1030), "light"),
    "picture_health_dark": (HEALTH, (1440, 1030), "dark"),
    "picture_overview": ("/", (1440, 980), "light"),
}


def log_in(page: Page, base: str, email: str = ADMIN) -> None:
    """Through the form, as a person does."""
    page.goto(f"{base}/login")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: not url.startswith(f"{base}/login"))


def settle(page: Page) -> None:
    """Until the page shows its numbers and its charts are drawn."""
    ready = "main .page:not(.loading), main .face:visible, main form"
    page.wait_for_selector(ready, timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(700)


def shoot(browser: Browser, base: str, folder: Path, names: list[str]) -> None:
    for name in names:
        path, (width, height), scheme = (SHOTS | PICTURES)[name]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        page = context.new_page()
        page.on("console", lambda m: print("console", m.type, m.text[:300]))
        page.on("pageerror", lambda e: print("pageerror", str(e)[:300]))
        if path != DOOR:
            log_in(page, base)
        page.goto(base + path)
        settle(page)
        if path == NEWEST:
            page.locator("#exchanges-grid .ag-row a").first.click()
            page.wait_for_url("**/exchanges/*-*")
            settle(page)
        page.screenshot(path=folder / f"{name}.png", full_page=name in SHOTS)
        context.close()


def main() -> None:
    base, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        shoot(browser, base, folder, sys.argv[3:] or list(SHOTS))
        browser.close()


if __name__ == "__main__":
    main()
