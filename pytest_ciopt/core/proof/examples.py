"""Which examples in texts a change concerns, beside those that ran what changed. Pure.

Of a function it is known which names it mentions, and imports tell what its module can see. An
example is looked at as a text, and may import whatever it likes.
"""

from collections.abc import Callable, Iterable, Iterator, Set

from pytest_ciopt.core.history.traces import EXAMPLE
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.seen import Process

_LOOKING_UP = (
    *("dir", "eval", "exec", "getattr", "getmembers", "globals", "help", "inspect", "vars"),
    "__dict__",
)
"""Words of an example that may use names which do not stand there."""


def concerned(
    process: Process,
    knowledge: Knowledge,
    names: Set[str],
    stands: Callable[[str, str], bool],
    reasons: Iterable[str],
) -> Iterator[tuple[str, str]]:
    """Files with examples that ran in a process, with why nothing is said of them.

    `names` are those that were followed from what changed, `stands` tells whether a word stands in
    a file, and `reasons` why anybody may be concerned who imports anything, if somebody may be.
    """
    general = next(iter(reasons), None)
    for path in sorted(_files(process, knowledge)):
        why = general or _use(path, names, stands)
        if why is not None:
            yield path, why


def _files(process: Process, knowledge: Knowledge) -> set[str]:
    return {
        test.partition("::")[0]
        for test, known in knowledge.tests.items()
        if (seen := known.seen) is not None and seen.process is process and seen.what == EXAMPLE
    }


def _use(path: str, names: Set[str], stands: Callable[[str, str], bool]) -> str | None:
    if not names:
        return None
    if any(stands(path, word) for word in _LOOKING_UP):
        return f"an example looks names up, perhaps {min(names)}"
    name = next((one for one in sorted(names) if stands(path, one)), None)
    return None if name is None else f"an example uses {name}"
