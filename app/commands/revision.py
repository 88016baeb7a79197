"""The revision of the registry: what a reader compares to know that something changed."""

from sqlalchemy.orm import Session

from app.models import RegistryState


def current(session: Session) -> int:
    """The revision as this transaction sees it."""
    state = session.get(RegistryState, 1)
    return state.revision if state else 0


def lock(session: Session) -> RegistryState:
    """The one row, locked until the transaction ends, so that changes come one after another.

    On SQLite the write transaction is that lock already.
    """
    state = session.get(RegistryState, 1, with_for_update=True)
    if state is None:
        state = RegistryState(id=1, revision=0, changed_us=0)
        session.add(state)
    return state


def bump(state: RegistryState, now_us: int) -> None:
    """Say that what is routed has changed. `state` comes from `lock`."""
    state.revision += 1
    state.changed_us = now_us
