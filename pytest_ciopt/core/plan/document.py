"""A plan as JSON, and back. Pure. See docs/reference/plan.md."""

import json
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from typing import Any

from pytest_ciopt.core.history.encoding import OBJECT_ID
from pytest_ciopt.core.plan.packing import ALGORITHM
from pytest_ciopt.core.plan.plan import DURATIONS, HISTORY, SIZES, Plan, Share

SCHEMA = 1
_KIND = "ciopt-plan"
_MOST = 10_000
"""Shards: more than any service runs at a time."""


class PlanError(ValueError):
    """A text that is no plan; says why."""


def encoded(plan: Plan) -> str:
    """Equal for equal plans; ASCII, a module a line."""
    head = {
        "kind": _KIND,
        "schema": SCHEMA,
        "algorithm": ALGORITHM,
        "shards": plan.shards,
        "seconds": list(plan.seconds),
        "spread": list(plan.spread),
        "lower_bound": plan.bound,
        "made_from": plan.origin,
        "complete": plan.complete,
        "commit": plan.commit,
        "base": plan.base,
        "made": plan.made,
        "unread": sorted(plan.unread),
        "proving": sorted(plan.proving),
        "aliases": dict(sorted(plan.aliases.items())),
        "times": dict(sorted(plan.times.items())),
        "uncommitted": None if plan.uncommitted is None else dict(sorted(plan.uncommitted.items())),
    }
    modules = ",\n".join(
        f"{json.dumps(path)}: {json.dumps(_plain(path, share))}"
        for path, share in sorted(plan.modules.items())
    )
    return f'{json.dumps(head, indent=1)[:-2]},\n "modules": {{\n{modules}\n}}}}\n'


def _plain(path: str, share: Share) -> dict[str, object]:
    """Ids without the path, which all of them begin with."""
    tests = {str(n): [t.removeprefix(path) for t in ids] for n, ids in sorted(share.tests.items())}
    left = [test.removeprefix(path) for test in share.left]
    return {"home": share.home, "seconds": share.seconds, "tests": tests, "left": left}


def digest(plan: Plan) -> str:
    """Of what a plan says; runs under the same plan have the same one."""
    return sha256(encoded(plan).encode("ascii")).hexdigest()[:16]


def decoded(text: str) -> Plan:
    """Raises: PlanError for anything else, also for a test that two shards would run."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"it is no JSON: {error}") from None
    if not isinstance(plain, dict) or plain.get("kind") != _KIND:
        raise PlanError("it is no plan of shards")
    if plain.get("schema") != SCHEMA:
        raise PlanError(f"its schema is {plain.get('schema')!r}; this version reads {SCHEMA}")
    try:
        plan = _read(plain)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise PlanError(f"it is damaged: {type(error).__name__}: {error}") from None
    _check(plan)
    return plan


def _read(plain: Mapping[str, Any]) -> Plan:
    return Plan(
        shards=_whole(plain["shards"]),
        modules={
            path: Share(
                _whole(share["home"]),
                {
                    int(number): tuple(path + str(test) for test in tests)
                    for number, tests in share["tests"].items()
                },
                float(share["seconds"]),
                tuple(path + str(test) for test in share["left"]),
            )
            for path, share in plain["modules"].items()
        },
        seconds=tuple(map(float, plain["seconds"])),
        spread=tuple(map(float, plain["spread"])),
        bound=float(plain["lower_bound"]),
        origin=plain["made_from"],
        complete=plain["complete"] is True,
        commit=_object_id(plain["commit"]),
        base=_object_id(plain["base"]),
        made=float(plain["made"]),
        unread=frozenset(map(str, plain["unread"])),
        proving=frozenset(map(str, plain["proving"])),
        aliases={str(of): str(path) for of, path in plain["aliases"].items()},
        times={str(test): _whole(number) for test, number in plain["times"].items()},
        uncommitted=_texts(plain.get("uncommitted")),
    )


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no number of a shard")
    return value


def _texts(value: Mapping[object, object] | None) -> dict[str, str] | None:
    return None if value is None else {str(name): str(text) for name, text in value.items()}


def _object_id(value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and OBJECT_ID.fullmatch(value)):
        raise TypeError(f"{value!r} is no id of a commit")
    return value


def _check(plan: Plan) -> None:
    if not 1 <= plan.shards <= _MOST:
        raise PlanError(f"it has {plan.shards} shards")
    if plan.origin not in (HISTORY, DURATIONS, SIZES):
        raise PlanError(f"it is made from {plan.origin!r}")
    if not {len(plan.seconds), len(plan.spread)} <= {0, plan.shards}:
        raise PlanError("its seconds are not as many as its shards")
    if not all(map(isfinite, (*plan.seconds, *plan.spread, plan.bound, plan.made))):
        raise PlanError("it has a number that is none")
    seen: set[str] = set()
    for path, share in plan.modules.items():
        numbers = {share.home, *share.tests}
        if not numbers <= set(range(1, plan.shards + 1)):
            raise PlanError(f"{path!r} has a shard that is none")
        for tests in share.tests.values():
            for test in tests:
                if test in seen:
                    raise PlanError(f"{test!r} occurs twice")
                seen.add(test)
