"""Which tests are others under a new name, as far as that is certain.

Two ways: git says that the file was renamed; or pytest now shortens a long parameter that it used
to spell out (or the other way round), as `parametrize_long_str_id_strategy` of pytest 9.1 has it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from pytest_ciopt.core.history.forecast import function_of
from pytest_ciopt.core.nodeids import module_of

_LONG = 100
"""Characters that pytest spells out. **Source:** pytest 9.1, `_apply_long_str_strategy`."""
_POSITION = re.compile(r"[^\W\d]\w*?\d+")
"""What stands for a long parameter: the name of the argument and the number of its set."""


def carried(
    wanted: Iterable[str], known: Collection[str], renamed: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Former ids by present ones, for those of `wanted` that are not in `known`.

    `renamed` are former paths of files by present ones, the latest first: of several names the
    latest one that is known counts. Each former id goes to one test at most.
    Complexity: linear, but for functions with long parameters.
    """
    unknown = [test for test in wanted if test not in known]
    found: dict[str, str] = {}
    for test in unknown:
        former = next((name for name in _former(test, renamed) if name in known), test)
        if former != test:
            found[test] = former
    rest = [test for test in unknown if test not in found and "[" in test]
    if rest:
        found.update(_respelled(rest, set(wanted), known, renamed))
    return found


def _respelled(
    unknown: Iterable[str],
    present: Collection[str],
    known: Collection[str],
    renamed: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, str]]:
    """Pairs of ids of which one spells a long parameter out and the other does not.

    A pair counts only where neither of the two could belong to another one.
    """
    gone: dict[str, list[str]] = {}
    for test in known:
        if "[" in test and test not in present:
            gone.setdefault(function_of(test), []).append(test)
    for function, fresh in _by_function(unknown).items():
        before = next((gone[name] for name in _former(function, renamed) if name in gone), [])
        pairs = [(new, old) for new in fresh for old in before if _same(_tail(new), _tail(old))]
        for new, old in pairs:
            if sum(new == n for n, _ in pairs) == 1 == sum(old == o for _, o in pairs):
                yield new, old


def _former(test: str, renamed: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Former names, the latest first; of a file that was not renamed the name that it has."""
    path = module_of(test)
    return (one + test[len(path) :] for one in renamed.get(path, (path,)))


def _by_function(tests: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for test in tests:
        found.setdefault(function_of(test), []).append(test)
    return found


def _tail(test: str) -> str:
    return test.partition("[")[2].removesuffix("]")


def _same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(long) > _LONG and (_is_short_for(short, long))


def _is_short_for(short: str, long: str) -> bool:
    """Whether one part of `short` stands for a long part of `long`, and the rest is the same."""
    start = _common(short, long)
    end = min(_common(short[::-1], long[::-1]), len(short) - start)
    # Beginning and end may run into the parameter itself: it begins and ends at a dash.
    start = short.rfind("-", 0, start) + 1
    cut = short.find("-", max(start, len(short) - end))
    end = 0 if cut < 0 else len(short) - cut
    stands, whole = short[start : len(short) - end], long[start : len(long) - end]
    if len(whole) <= _LONG:
        return False
    return bool(_POSITION.fullmatch(stands)) or stands == sha256(whole.encode()).hexdigest()


def _common(one: str, other: str) -> int:
    """Length of the common beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
