"""Open circuits and holds: what workers say, within the scope of who asks."""

from app import queries
from app.domain.gates import GateState, encode_gates
from tests.app.web_world import EVERYTHING, GLOBEX, SLUGS
from tests.contract.worlds import NOW_US

OWN, OTHER = SLUGS[0], SLUGS[2]


def test_the_worst_of_what_workers_say_is_seen_within_the_scope_only(world):
    home = world.settings.home
    assert queries.gates(world.reading, EVERYTHING, home) == []
    status = home / "status"
    status.mkdir(exist_ok=True)
    opened = GateState(OWN, "outbound", "open", since_us=1, until_us=2, failed=3, counted=4)
    trying = GateState(OWN, "outbound", "half_open", since_us=0, until_us=1)
    foreign = GateState(OTHER, "inbound", held_until_us=9, held_status=503)
    (status / "gates-worker-0.json").write_bytes(encode_gates(NOW_US, [trying, foreign]))
    (status / "gates-worker-1.json").write_bytes(encode_gates(NOW_US, [opened]))
    (status / "gates-worker-2.json").write_bytes(b"{")
    worst = GateState(OWN, "outbound", "open", since_us=0, until_us=2, failed=3, counted=4)
    assert queries.gates(world.reading, GLOBEX, home) == [worst]
    seen = queries.gates(world.reading, EVERYTHING, home)
    assert sorted(state.integration for state in seen) == sorted([OWN, OTHER])
