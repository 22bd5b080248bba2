"""What earlier runs recorded, made from a short description.

A unit is written `m:f` for the function `f` of `m.py`, `m:` for its body, and `m::3` for what its
line 3 calls; a chain of calls is written `user:uses > m:f`.
"""

from collections.abc import Iterable
from itertools import pairwise

from pytest_ciopt.core.history.traces import AT, BODY, Inputs, Trace
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.seen import Known, Process, Ran, Seen, Unit


def unit(text: str) -> Unit:
    """The path and the name of what is written `m:f`."""
    module, _, name = text.partition(":")
    return f"{module}.py", name


def units(text: str) -> frozenset[Unit]:
    """Of several, with spaces between."""
    return frozenset(map(unit, text.split()))


def knowledge(
    tests: Iterable[str] = (),
    calls: Iterable[str] = (),
    imports: Iterable[str] = (),
    outside: str = "",
    shared: str = "",
    often: str = "",
) -> Knowledge:
    """Of tests with the units that each ran, and calls in tests and while modules were imported.

    What was called at import ran outside of tests. So did what `outside` tells; `shared` is what
    fixtures of wider scope ran, `often` what was called so often that not all callers are known.
    """
    tests = tuple(tests)
    in_tests, at_import = _calls(calls), _calls(imports)
    ran = units(outside).union(at_import, *at_import.values())
    functions = {(path, name.partition(".<locals>")[0]) for path, name in ran if _is_unit(name)}
    process = Process(
        run="run",
        inputs=Inputs({}),
        outside=frozenset(functions),
        session=Trace(),
        imports={},
        openings=tuple((units(text), frozenset[str]()) for text in tests),
    )
    seen = (Seen(process, units(text)) for text in (*tests, ""))
    known = {f"test_{number}": Known("run", "", one) for number, one in enumerate(seen)}
    return Knowledge(known, ran=Ran(in_tests, at_import, set(units(shared)), set(units(often))))


def process_of(known: Knowledge) -> Process:
    """The one process in which all tests ran."""
    first, *others = (one.seen.process for one in known.tests.values() if one.seen is not None)
    assert all(other is first for other in others)
    return first


def _is_unit(name: str) -> bool:
    return name == BODY or not name.startswith(AT)


def _calls(chains: Iterable[str]) -> dict[Unit, set[Unit]]:
    """Callers by what they call."""
    found: dict[Unit, set[Unit]] = {}
    for chain in chains:
        for caller, called in pairwise(chain.split(" > ")):
            found.setdefault(unit(called), set()).add(unit(caller))
    return found
