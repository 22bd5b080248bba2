"""Asks the project for gates of its own."""

from collections.abc import Iterable
from itertools import chain

import pytest

from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.hooks.wholeness import Wholeness

_RULINGS = {True: Ruling.PASS, False: Ruling.FAIL, None: Ruling.UNKNOWN}
_HOOK = "pytest_ciopt_gates"


class Own:
    """The judge for which the hook speaks."""

    def __init__(self, config: pytest.Config) -> None:
        self._hook = config.hook.pytest_ciopt_gates
        self.gates = [_HOOK] if self._hook.get_hookimpls() else []

    def judge(self, session: pytest.Session, wholeness: Wholeness) -> list[Verdict]:
        """Verdicts. An error in a hook, and what is no verdict, cannot tell anything."""
        if not self.gates:
            return []
        parts = chain(wholeness.cuts(session), wholeness.shard(), wholeness.selected())
        try:
            told: list[Iterable[object]] = self._hook(session=session, partial=next(parts, None))
            return [_verdict(one) for several in told for one in several]
        except Exception as error:
            why = f"the hook failed with {type(error).__name__}: {error}"
            return [Verdict(_HOOK, Ruling.UNKNOWN, why, "Mend the conftest.")]


def _verdict(told: object) -> Verdict:
    match told:
        case (str(name), True | False | None as passes, str(why)):
            return Verdict(name, _RULINGS[passes], why)
    why = f"{told!r} is no (name, whether it passes, why)"
    return Verdict(_HOOK, Ruling.UNKNOWN, why, "Mend the conftest.")
