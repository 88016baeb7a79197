"""What people do about alerts: take an incident, silence what is known, and end a silence."""

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from app.commands import audit
from app.commands.telling import tell_over, tell_taken
from app.db import transaction
from app.domain.scope import Scope
from app.domain.window import DAY_US, MINUTE_US
from app.errors import NotFound, Refused
from app.models import Alert, Incident, Integration, Notification, Partner, Silence

LONGEST_COMMENT = 500
_SHORTEST_US, _LONGEST_US = MINUTE_US, 92 * DAY_US


def acknowledge(session: Session, scope: Scope, *, number: int, now_us: int, actor: str) -> bool:
    """Take an incident; False when somebody has it already. `NotFound` outside the scope."""
    _reached(session, scope, number)
    taken = session.execute(
        update(Incident)
        .where(Incident.id == number, Incident.acked_us.is_(None))
        .values(acked_us=now_us, acked_by=actor[:300])
        .returning(Incident.id)
    ).one_or_none()
    if taken is None:
        return False
    tell_taken(session, number, now_us)
    audit.record(
        session, now_us=now_us, actor=actor, action="incident.acknowledged", subject=str(number)
    )
    return True


def close(session: Session, scope: Scope, *, number: int, now_us: int, actor: str) -> bool:
    """Say that an incident is over; False when it is already. Whoever was told that it began is
    told so, and nobody again before it was right once. `NotFound` outside the scope."""
    _reached(session, scope, number)
    closed = session.execute(
        update(Incident)
        .where(Incident.id == number, Incident.resolved_us.is_(None))
        .values(resolved_us=now_us, closed_by=actor[:300])
        .returning(Incident.id)
    ).one_or_none()
    if closed is None:
        return False
    tell_over(session, number, now_us)
    audit.record(session, now_us=now_us, actor=actor, action="incident.closed", subject=str(number))
    return True


def silence_incident(
    session: Session,
    scope: Scope,
    *,
    number: int,
    for_us: int,
    now_us: int,
    actor: str,
    address: str | None = None,
) -> Silence:
    """`add_silence` from now on of all about the integration or the partner of an incident; of
    its rule, where it is about neither. `NotFound` outside the scope. `address`: who read of it in
    a mail; if a partner's, the silence is that partner's alone."""
    alert = _reached(session, scope, number)
    nobodys = alert.integration is None and alert.partner is None
    return add_silence(
        session, scope, rule=alert.rule if nobodys else None, integration=alert.integration,
        partner=alert.partner, starts_us=now_us, ends_us=now_us + for_us,
        comment=f"from incident {number}", now_us=now_us, actor=actor,
        partners_only=address is not None and _is_partners(session, number, address),
    )  # fmt: skip


def _is_partners(session: Session, number: int, address: str) -> bool:
    """Whether an address was told of an incident as a partner's."""
    told = select(Notification.audience).where(
        Notification.incident_id == number, Notification.address == address
    )
    audiences = set(session.scalars(told))
    return audiences == {"partner"}


def _reached(session: Session, scope: Scope, number: int) -> Alert:
    alert = session.scalar(select(Alert).join(Incident).where(Incident.id == number))
    if alert is None or not scope.reaches(alert.integration, alert.partner):
        raise NotFound(f"no incident {number}")
    return alert


def add_silence(
    session: Session,
    scope: Scope,
    *,
    rule: str | None,
    integration: str | None,
    partner: str | None,
    starts_us: int,
    ends_us: int,
    comment: str,
    now_us: int,
    actor: str,
    partners_only: bool = False,
) -> Silence:
    """Tell nobody of what fits, from `starts_us` to `ends_us`.

    A partner's silence is about its own: it names one of its integrations, or the partner, and it
    silences what the partner is told (`partners_only`); the platform's people hear on. Raises
    `NotFound` for what is outside the scope, `Refused` for a time that makes no sense, a comment
    that is too long, and a silence that would fit everything.
    """
    if not _SHORTEST_US <= ends_us - starts_us <= _LONGEST_US or ends_us <= now_us:
        raise Refused("a silence lasts from a minute to 92 days and ends in the future")
    if len(comment) > LONGEST_COMMENT:
        raise Refused(f"a comment has at most {LONGEST_COMMENT} characters")
    if rule is None and integration is None and partner is None:
        raise Refused("a silence names a rule, an integration or a partner")
    owner = _owner(session, scope, integration, partner)
    silence = Silence(
        rule=rule, integration=integration, partner=owner, starts_us=starts_us, ends_us=ends_us,
        partners_only=partners_only or not scope.covers(None), created_by=actor[:300],
        comment=comment,
    )  # fmt: skip
    session.add(silence)
    session.flush()
    audit.record(
        session, now_us=now_us, actor=actor, action="silence.added", subject=str(silence.id),
        detail=f"{rule or 'any rule'}, {integration or owner or 'everything'}",
    )  # fmt: skip
    return silence


def end_silence(session: Session, scope: Scope, *, number: int, now_us: int, actor: str) -> None:
    """End a silence now; one that is over stays as it is. `NotFound` outside the scope."""
    silence = session.get(Silence, number)
    if silence is None or not scope.reaches(silence.integration, silence.partner):
        raise NotFound(f"no silence {number}")
    if silence.ends_us <= now_us:
        return
    silence.ends_us = max(now_us, silence.starts_us + 1)
    audit.record(session, now_us=now_us, actor=actor, action="silence.ended", subject=str(number))


def take_incident(engine: Engine, scope: Scope, *, number: int, now_us: int, actor: str) -> bool:
    """`acknowledge` in a transaction of its own."""
    with transaction(engine) as session:
        return acknowledge(session, scope, number=number, now_us=now_us, actor=actor)


def silence_integration(
    engine: Engine, scope: Scope, *, slug: str, for_us: int, comment: str, now_us: int, actor: str
) -> None:
    """`add_silence` of all about one integration from now on, in a transaction of its own."""
    with transaction(engine) as session:
        add_silence(
            session, scope, rule=None, integration=slug, partner=None, starts_us=now_us,
            ends_us=now_us + for_us, comment=comment, now_us=now_us, actor=actor,
        )  # fmt: skip


def end_silences(
    engine: Engine, scope: Scope, *, numbers: list[int], now_us: int, actor: str
) -> None:
    """`end_silence` of each, all or none, in a transaction of its own."""
    with transaction(engine) as session:
        for number in numbers:
            end_silence(session, scope, number=number, now_us=now_us, actor=actor)


def _owner(
    session: Session, scope: Scope, integration: str | None, partner: str | None
) -> str | None:
    """The partner that a silence is about; None: about all, for those who see all."""
    if integration is not None:
        found = session.scalar(
            select(Partner.slug).join(Integration).where(Integration.slug == integration)
        )
        if found is None or not scope.reaches(integration, found) or partner not in (None, found):
            raise NotFound(f"no integration {integration!r}")
        return found
    if partner is not None:
        known = session.scalar(select(Partner.slug).where(Partner.slug == partner))
        if known is None or not scope.covers(known):
            raise NotFound(f"no partner {partner!r}")
        return known
    if not scope.covers(None):
        raise NotFound("name one of your integrations")
    return None
