"""Asking for a link, and following it.

Following takes two steps, a page and a button: programs that look at mails open every address in
them, and press no buttons.
"""

from flask import Blueprint, current_app, request
from werkzeug.wrappers import Response as AnyResponse

from app.auth import entering, links
from app.auth.context import clock_us, engine, settings
from app.auth.cookie import BROWSER
from app.auth.local import local_target
from app.auth.login import typed_email
from app.auth.postroom import Postroom
from app.auth.throttle import LINKS_PER_ADDRESS, LINKS_PER_EMAIL, Pair
from app.telemetry import count_login

ELSEWHERE = "This link works only in the browser that asked for it. Ask for another one here."
OVER = "This link was used or is older than 10 minutes. Ask for another one."


def add(pages: Blueprint) -> None:
    """Its routes, with counts of their own."""
    asked = Pair(LINKS_PER_EMAIL, LINKS_PER_ADDRESS)
    pages.add_url_rule("/login/link", "link", lambda: _ask(asked), methods=["POST"])
    pages.add_url_rule("/login/link/<secret>", "follow", _follow, methods=["GET", "POST"])


def postroom() -> Postroom:
    """The one of this app, made at its first use: threads do not outlive a fork."""
    made: Postroom = current_app.extensions.setdefault(
        "midspan_postroom", Postroom(engine(), settings())
    )
    return made


def _ask(asked: Pair) -> AnyResponse:
    email, target = typed_email(request.form.get("email", "")), _target()
    address, now_us = request.remote_addr or "", clock_us()
    if "@" not in email:
        return entering.login_page(target, email, "Type your e-mail address first.", 422)
    wait_s = asked.wait_s(email, address, now_us)
    if wait_s:
        count_login("link", "throttled")
        return entering.too_many(target, email, wait_s)
    asked.count(email, address, now_us)
    browser = links.new_secret()
    if not postroom().ask(links.Request(email, browser, target, now_us)):
        return entering.too_many(target, email, 60)
    response = entering.page("link_sent.html", email=email)
    BROWSER.put(response, browser, settings().base_url)
    return response


def _follow(secret: str) -> AnyResponse:
    target = _target()
    browser = request.cookies.get(BROWSER.name_for(settings().base_url))
    if browser is None:
        return entering.login_page(target, "", ELSEWHERE, 401)
    if request.method in {"GET", "HEAD"}:
        return entering.page("link.html", secret=secret, next=target)
    arrival = entering.arrival("link")
    session_id = links.follow(engine(), secret, browser, arrival, clock_us())
    count_login("link", "in" if session_id else "wrong")
    if session_id is None:
        return entering.login_page(target, "", OVER, 401)
    response = entering.welcome(session_id, target)
    BROWSER.take(response, settings().base_url)
    return response


def _target() -> str:
    return local_target(request.values.get("next"))
