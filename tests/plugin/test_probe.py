"""What a process that measures benchmarks answers, of real ones."""

import pytest

from benched import FILES, TOTAL
from conftest import MakeProject
from pytest_ciopt.adapters.duet.child import Place, Wanted, ask
from pytest_ciopt.core.history.rounds import CPU, WALL

WAITING = {
    "tests/test_wait.py": """\
        import subprocess, sys, threading, time

        def child(): subprocess.run([sys.executable, "-c", ""])

        def thread():
            one = threading.Thread(target=time.sleep, args=(0.001,))
            one.start()
            one.join()

        def test_sleeps(benchmark): benchmark(time.sleep, 0.001)
        def test_child(benchmark): benchmark.pedantic(child, rounds=3)
        def test_thread(benchmark): benchmark(thread)
        """,
}


@pytest.mark.parametrize("clock", [CPU, WALL])
def test_what_waits_is_told_from_what_computes(project: MakeProject, clock: str) -> None:
    """However busy the machine is."""
    place = Place(project(FILES | WAITING).repository.root)
    found = ask(place, Wanted(None, clock))
    assert len(found.benchmarks) == 4
    assert found.computing == {TOTAL}
    assert found.benchmarks[TOTAL].clock == clock
