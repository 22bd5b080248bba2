"""`ciopt plan show`: a plan that was made, and where tests and files are in it."""

from collections.abc import Sequence
from pathlib import Path

from pytest_ciopt.adapters.environment import current_folder
from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.cli.place import Place, place, print_lines
from pytest_ciopt.cli.verify import read_plan
from pytest_ciopt.core.plan.plan import Plan
from pytest_ciopt.report import shards


def show(path: Path, asked: Sequence[str]) -> None:
    """All of a plan, or what it says of files and tests. Raises: CioptError."""
    plan = read_plan(path)
    if not asked:
        print_lines(shards.table(plan))
        return
    where = place()
    for word in asked:
        file, colons, test = word.partition("::")
        found = _found(where, plan, file)
        there = (where.top / found).is_file()
        print_lines(shards.explained(plan, found + colons + test, there))


def _found(where: Place, plan: Plan, file: str) -> str:
    """The path from the top of a file that is named as it is seen from here, as pytest has it in
    ids, or from the top: the first that is there or in the plan."""
    folders = current_folder(), where.top / where.root, where.top
    places = [place_of(folder / file, where.top) for folder in folders]
    paths = [plan.aliases.get(one, one) for one in places if one is not None]
    known = (
        one
        for one in paths
        if one in plan.modules or one in plan.unread or (where.top / one).is_file()
    )
    return next(known, paths[0] if paths else file)
