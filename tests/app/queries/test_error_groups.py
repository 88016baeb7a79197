"""Error groups with their state: what is asked, decided, and seen by whom."""

import pytest

from app import queries
from app.commands.error_groups import Seen, Wish, decide
from app.commands.users import disable_user
from app.db import reading as registry_session
from app.db import transaction
from app.domain.error_group import NEW_US, OPEN, Handling, Standing, group_id
from app.domain.window import DAY_US, HOUR_US, Window, window_ending
from app.errors import BadQuery, NotFound, Refused
from app.models import AuditEntry, ErrorGroupState
from app.store.port import Batch
from tests.app.error_worlds import failing, id_of, theirs
from tests.app.web_world import CANARY, EVERYTHING, GLOBEX, PEOPLE, SLUGS
from tests.contract.worlds import NOW_US

DAY = window_ending(NOW_US, DAY_US)
ADMIN, DEV = PEOPLE["admin"][0], PEOPLE["globex"][0]
ONE = failing()


def load(world, *errors):
    world.store.append(Batch(errors=errors))


def ask(world, scope=GLOBEX, slug=SLUGS[0], window=DAY, **more):
    return queries.error_groups(world.reading, scope, slug, window, **more)


def wish(world, error=ONE, by=f"user:{DEV}", **wanted):
    found = queries.get_error_group(world.reading, EVERYTHING, SLUGS[0], id_of(error), DAY)
    seen = Seen(group_id(error.group), SLUGS[0], found.first_us, found.last_us, found.total)
    with transaction(world.engine) as session:
        return decide(session, seen, Wish(**wanted), now_us=world.clock(), actor=by)


def standing_of(world, error=ONE) -> str:
    world.clock.pass_us(1)
    found = queries.get_error_group(world.reading, GLOBEX, SLUGS[0], id_of(error), DAY)
    return found.standing


def test_a_group_reads_in_words_with_every_step_of_its_window(world):
    load(world, failing(NOW_US - 3 * HOUR_US, 2), ONE)
    found = ask(world, window=window_ending(NOW_US, 6 * HOUR_US))
    [group] = found.items
    assert (group.outcome, group.fault, group.status) == ("server_error", "partner", 500)
    assert (group.exchanges, group.total, group.standing) == (6, 6, "new")
    assert (group.installations, group.installations_exact) == (2, True)
    assert [number for _, number in group.points] == [0, 0, 0, 2, 0, 0, 4]
    assert found.window == Window(group.points[0][0], group.points[-1][0] + HOUR_US)
    assert found.counts == {"new": 1, "regressed": 0, "ongoing": 0, "resolved": 0, "ignored": 0}


def test_what_was_not_seen_in_the_window_is_left_out(world):
    load(world, failing(NOW_US - 3 * DAY_US))
    assert ask(world).items == ()
    [group] = ask(world, window=window_ending(NOW_US, 7 * DAY_US)).items
    assert (group.exchanges, group.standing) == (4, "ongoing")
    assert queries.get_error_group(world.reading, GLOBEX, SLUGS[0], group.id, DAY).exchanges == 0


@pytest.mark.parametrize("window", [Window(10, 10), Window(0, 401 * DAY_US)])
def test_a_window_that_makes_no_sense_is_refused(world, window):
    with pytest.raises(BadQuery):
        ask(world, window=window)


def test_what_wants_somebody_comes_first(world):
    calm, loud, old = failing(message="a"), failing(message="b", number=9), failing(message="c")
    load(world, calm, loud, old, failing(NOW_US - 2 * NEW_US, message="c"))
    wish(world, old, handling=Handling.RESOLVED)
    world.clock.pass_us(HOUR_US)
    load(world, failing(world.clock(), message="c", number=1))
    wish(world, calm, handling=Handling.IGNORED)
    order = [(group.message, group.standing) for group in ask(world).items]
    assert order == [("b", "new"), ("c", "regressed"), ("a", "ignored")]
    assert len(ask(world, standings=OPEN).items) == 2
    assert ask(world, standings=[Standing.RESOLVED]).items == ()


def test_a_group_that_comes_back_after_it_was_resolved_is_regressed(world):
    load(world, ONE)
    assert wish(world, handling=Handling.RESOLVED)
    assert standing_of(world) == "resolved"
    load(world, failing(NOW_US - HOUR_US))
    assert standing_of(world) == "resolved", "what comes late was before"
    load(world, failing(NOW_US + 1))
    assert standing_of(world) == "regressed"
    assert wish(world, handling=Handling.RESOLVED)
    assert standing_of(world) == "resolved"


def test_a_group_is_ignored_until_so_many_more(world):
    load(world, ONE)
    wish(world, handling=Handling.IGNORED, more=5)
    load(world, failing(NOW_US + 1, number=4))
    assert standing_of(world) == "ignored"
    load(world, failing(NOW_US + 2, number=1))
    assert standing_of(world) == "regressed"


def test_a_group_is_ignored_until_a_time(world):
    load(world, ONE)
    wish(world, handling=Handling.IGNORED, until_us=NOW_US + HOUR_US)
    load(world, failing(NOW_US + HOUR_US - 1))
    assert standing_of(world) == "ignored"
    load(world, failing(NOW_US + HOUR_US))
    assert standing_of(world) == "regressed"


def test_deciding_the_same_twice_is_deciding_once(world):
    load(world, ONE)
    wanted = {"handling": Handling.IGNORED, "more": 5, "assign": True, "assignee": DEV}
    assert wish(world, **wanted)
    world.clock.pass_us(5)
    assert not wish(world, **wanted)
    assert not wish(world)
    with registry_session(world.engine) as session:
        entries = session.query(AuditEntry).filter_by(action="error_group.changed").all()
        [state] = session.query(ErrorGroupState).all()
    assert [each.detail for each in entries] == [f"ignored, until 5 more, assigned to {DEV}"]
    assert (state.decided_us, state.version) == (NOW_US, 1)


def test_who_was_faster_is_not_overwritten(world):
    load(world, ONE)
    wish(world, handling=Handling.RESOLVED)
    seen = Seen(group_id(ONE.group), SLUGS[0], 0, 1, 1)
    with transaction(world.engine) as session:
        read_before = session.query(ErrorGroupState).all()
        session.connection().exec_driver_sql("UPDATE error_group_states SET version = 7")
        with pytest.raises(Refused, match="look again"):
            decide(session, seen, Wish(Handling.IGNORED), now_us=1, actor="user:x")
        assert [each.handling for each in read_before] == [Handling.RESOLVED]


@pytest.mark.parametrize(
    "wanted",
    [
        {"handling": Handling.RESOLVED, "more": 5},
        {"until_us": NOW_US + 5},
        {"handling": Handling.IGNORED, "until_us": NOW_US},
    ],
)
def test_an_end_that_is_none_is_refused(world, wanted):
    load(world, ONE)
    with pytest.raises(Refused):
        wish(world, **wanted)


def test_an_assignee_is_somebody_and_may_be_nobody_again(world):
    load(world, ONE)
    wish(world, assign=True, assignee=DEV)
    assert ask(world).items[0].assignee == DEV
    wish(world, assign=True)
    assert ask(world).items[0].assignee is None
    with pytest.raises(NotFound):
        wish(world, assign=True, assignee="nobody@nowhere.example")


def test_a_partner_knows_its_own_people_and_no_other_name(world):
    load(world, ONE)
    wish(world, handling=Handling.RESOLVED, assign=True, assignee=ADMIN, by=f"user:{ADMIN}")
    [mine], [ours] = ask(world).items, ask(world, EVERYTHING).items
    assert (mine.assignee, mine.decided_by) == ("the platform", "the platform")
    assert (ours.assignee, ours.decided_by) == (ADMIN, ADMIN)
    assert queries.assignees(world.reading, GLOBEX, SLUGS[0]) == (DEV,)
    everybody = queries.assignees(world.reading, EVERYTHING, SLUGS[0])
    assert set(everybody) == {DEV, ADMIN, PEOPLE["ecosystem"][0]}
    with transaction(world.engine) as session:
        disable_user(session, email=DEV, now_us=1, actor="test")
    assert queries.assignees(world.reading, GLOBEX, SLUGS[0]) == ()


def test_somebody_elses_group_is_as_unknown_as_one_that_never_was(world):
    load(world, ONE, theirs())
    for group in (id_of(theirs()), "0" * 16, "", "x"):
        with pytest.raises(NotFound) as found:
            queries.get_error_group(world.reading, GLOBEX, SLUGS[0], group, DAY)
        assert str(found.value) == f"no error group {group!r}"
    assert CANARY not in repr(ask(world))
