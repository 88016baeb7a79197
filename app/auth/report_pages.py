"""Taking an address off the weekly reports, without logging in.

Opening the link asks, pressing the button does it: programs that look at mails open every address.
A mail program's own *unsubscribe* posts to the same address (RFC 8058).
"""

from flask import Blueprint, request
from flask import current_app as app
from werkzeug.wrappers import Response as AnyResponse

from app.auth import entering, report_links
from app.auth.context import clock_us, engine
from app.commands.reports import refuse_reports
from app.db import transaction
from app.errors import NotFound

FORGED = "This link is not one of ours. Open the one in the mail, whole."
GONE = "This partner is no longer there, and gets no reports."


def add(pages: Blueprint) -> None:
    """Its route."""
    pages.add_url_rule("/reports/refuse", "refuse_reports", _answer, methods=["GET", "POST"])


def _answer() -> AnyResponse:
    token = request.values.get("token", "")
    named = report_links.read(str(app.secret_key), token)
    if named is None:
        return entering.page("report.html", 404, said=FORGED, address=None, token="")
    partner, address = named
    if request.method != "POST":
        return entering.page("report.html", said="", address=address, token=token)
    try:
        with transaction(engine()) as session:
            refuse_reports(session, partner, address, clock_us())
    except NotFound:
        return entering.page("report.html", 404, said=GONE, address=None, token="")
    said = f"{address} gets no more weekly reports."
    return entering.page("report.html", said=said, address=None, token="")
