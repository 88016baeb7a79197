"""Which circuits are open and which sides asked not to be called, as the proxy's workers say."""

from contextlib import suppress
from pathlib import Path

from app.domain.gates import FILES, GateState, decode_gates, merged
from app.domain.scope import Scope
from app.queries.reading import Reading
from app.queries.registry import integrations_within


def gates(reading: Reading, scope: Scope, home: Path) -> list[GateState]:
    """What is not as usual, one state for each integration in the scope and direction.

    The worst of what the workers of this home say. A file that cannot be read right now says
    nothing: it is written again within seconds.
    """
    said: list[GateState] = []
    for path in sorted((home / "status").glob(FILES)):
        with suppress(OSError, ValueError):
            said += decode_gates(path.read_bytes(), reading.clock())
    visible = {view.slug for view in integrations_within(reading, scope)} if said else set()
    return [state for state in merged(said) if state.integration in visible]
