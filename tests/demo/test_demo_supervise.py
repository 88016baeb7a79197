"""Real child processes: ended to the last one, started again, and never orphaned."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.supervise import GRACE_S, KILL_S, Spec, Supervisor, pause_s

ROOT = Path(__file__).parents[2]
#: A child that has a child of its own, says both ids, and stays.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(sys.argv[1] + ".new", "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.replace(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def family(path: Path) -> list[int]:
    assert eventually(path.exists)
    return [int(word) for word in path.read_text().split()]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(os.environ, said.append, tmp_path / "logs")
    yield made
    made.end()


@pytest.mark.parametrize("script", [FAMILY, DEAF], ids=["willing", "deaf"])
def test_ending_ends_children_and_their_children(
    supervisor: Supervisor, tmp_path: Path, script: str
) -> None:
    supervisor.start(Spec("family", (sys.executable, "-c", script, str(tmp_path / "pids"))))
    pids = family(tmp_path / "pids")
    assert all(alive(pid) for pid in pids)
    supervisor.end()
    assert eventually(lambda: not any(alive(pid) for pid in pids))
    assert GRACE_S + KILL_S < 10


def test_a_child_that_dies_is_started_again_and_said_in_one_line(
    supervisor: Supervisor, said: list[str]
) -> None:
    script = "import sys; print('disk is made of cheese'); sys.exit(3)"
    supervisor.start(Spec("loader", (sys.executable, "-c", script)))

    def twice() -> bool:
        supervisor.tend()
        return len(said) >= 2

    assert eventually(twice)
    assert said[0].startswith("loader ended (exit 3); starting it again in 0.5 s.")
    assert "disk is made of cheese" in said[0]
    assert "in 1 s" in said[1]
    assert "\n" not in said[0]


def test_a_child_killed_from_outside_comes_back(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "pids"
    supervisor.start(Spec("web", (sys.executable, "-c", FAMILY, str(path))))
    first = family(path)
    path.unlink()
    os.kill(first[0], signal.SIGKILL)

    def again() -> bool:
        supervisor.tend()
        return path.exists()

    assert eventually(again)
    assert family(path)[0] != first[0]
    assert said == ["web ended (SIGKILL); starting it again in 0.5 s."]
    assert eventually(lambda: not alive(first[1])), "its worker must not outlive it"


def test_work_that_is_done_is_not_started_again(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(Spec("backfill", (sys.executable, "-c", ""), once=True))

    def done() -> bool:
        supervisor.tend()
        return not supervisor.running()

    assert eventually(done)
    supervisor.tend()
    assert supervisor.running() == {}
    assert said == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_no_orphan_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "from demo.supervise import Spec, Supervisor\n"
        "supervisor = Supervisor(os.environ, print)\n"
        "supervisor.start(Spec('x', (sys.executable, '-c', 'import time; time.sleep(600)')))\n"
        "with open(sys.argv[1] + '.new', 'w') as file:\n"
        "    file.write(str(supervisor.running()['x']))\n"
        "os.replace(sys.argv[1] + '.new', sys.argv[1])\n"
        "time.sleep(600)\n"
    )
    path = tmp_path / "pids"
    parent = subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=ROOT)
    [child] = family(path)
    assert alive(child)
    parent.kill()
    parent.wait()
    assert eventually(lambda: not alive(child))


PAUSES = [
    # failures before, ran for, failures, pause
    (0, 0.1, 1, 0.5),
    (1, 0.1, 2, 1.0),
    (4, 0.1, 5, 8.0),
    (6, 0.1, 7, 30.0),
    (5_000, 0.1, 5_001, 30.0),
    (7, 61.0, 1, 0.5),
]


@pytest.mark.parametrize(("before", "ran_s", "failures", "pause"), PAUSES)
def test_pauses_double_and_begin_anew_after_a_steady_minute(
    before: int, ran_s: float, failures: int, pause: float
) -> None:
    assert pause_s(before, ran_s) == (failures, pause)
