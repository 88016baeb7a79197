"""The way to the OpenID provider, and the way back."""

import hmac

from flask import Blueprint, current_app, redirect, request
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.auth import entering, sessions
from app.auth.context import clock_us, engine, settings
from app.auth.cookie import FLOW
from app.auth.local import HOME, local_target
from app.auth.login import typed_email
from app.auth.oidc import Flow, Provider, Sealer
from app.db import transaction
from app.errors import MidspanError, RegistryUnavailable
from app.logs import get as get_logger
from app.models import User
from app.telemetry import count_login

STRAY = "This log-in was not begun in this browser, or longer than 10 minutes ago. Start again."
NOT_INVITED = "There is nobody of this address here. Ask whoever runs Midspan for you."
AWAY = "The provider does not answer at the moment. Use another way in, or try again."
_log = get_logger("auth")


def add(pages: Blueprint) -> None:
    """Its routes; not found where no provider is set."""
    providers: list[Provider] = []

    def provider() -> Provider:
        if settings().oidc_issuer is None:
            raise NotFound("log-in by OpenID Connect is not set up")
        if not providers:
            providers.append(Provider(settings()))
        return providers[0]

    pages.add_url_rule("/login/oidc", "oidc", lambda: _begin(provider()))
    pages.add_url_rule("/login/oidc/back", "oidc_back", lambda: _finish(provider()))


def _begin(provider: Provider) -> AnyResponse:
    target = local_target(request.args.get("next"))
    try:
        address, flow = provider.begin(target, clock_us())
    except MidspanError as error:
        return _failed(target, error)
    response = redirect(address)
    FLOW.put(response, _sealer().seal(flow), settings().base_url)
    return response


def _finish(provider: Provider) -> AnyResponse:
    flow = _flow()
    if flow is None:
        count_login("oidc", "wrong")
        return entering.login_page(HOME, "", STRAY, 401)
    try:
        email = provider.finish(request.args.get("code", ""), flow, clock_us())
        session_id = _enter(typed_email(email))
    except RegistryUnavailable:
        raise
    except MidspanError as error:
        return _failed(flow.target, error)
    count_login("oidc", "in" if session_id else "wrong")
    if session_id is None:
        return entering.login_page(flow.target, "", NOT_INVITED, 403)
    response = entering.welcome(session_id, flow.target)
    FLOW.take(response, settings().base_url)
    return response


def _flow() -> Flow | None:
    """What this browser took along, if it is back from there."""
    sealed = request.cookies.get(FLOW.name_for(settings().base_url), "")
    flow = _sealer().open(sealed, clock_us())
    state = request.args.get("state", "")
    known = flow is not None and hmac.compare_digest(state.encode(), flow.state.encode())
    return flow if known else None


def _enter(email: str) -> str | None:
    with transaction(engine()) as session:
        user = session.scalar(select(User).where(User.email == email))
        if user is None or user.disabled_us is not None:
            _log.warning("login_not_invited", email=email)
            return None
        return sessions.begin(session, user, entering.arrival("oidc"), clock_us())


def _failed(target: str, error: MidspanError) -> AnyResponse:
    _log.warning("login_failed", method="oidc", reason=str(error))
    count_login("oidc", "wrong")
    if error.permanent:
        return entering.login_page(target, "", str(error), 401)
    return entering.login_page(target, "", AWAY, 503)


def _sealer() -> Sealer:
    return Sealer(str(current_app.secret_key))
