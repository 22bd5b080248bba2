"""What people read of a selection: a header line, a summary block, explanations."""

from collections.abc import Iterator, Sequence

from pytest_ciopt.core.base import Base
from pytest_ciopt.core.selection import ChangedFile, Selection
from pytest_ciopt.report.outcome import Outcome
from pytest_ciopt.report.tables import printable

_REASONS_SHOWN = 5


def count(number: int, thing: str) -> str:
    """`1 test`, `1,204 tests`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def header(selection: Selection, base: Base | None, mend: str) -> str:
    """One line: the base and how it was found, the change, and why all runs if it does."""
    told = "; ".join([*_origin(selection, base), *_everything(selection, mend)])
    return f"ciopt: {printable(told)}"


def _origin(selection: Selection, base: Base | None) -> Iterator[str]:
    if base is None:
        return
    yield f"base {base.commit[:12]} ({base.how})"
    files = selection.changed
    others = sum(not file.counts for file in files)
    text = f"{count(len(files), 'changed file')}"
    if others:
        text += ", without effect" if others == len(files) else f", {others} of them without effect"
    yield text


def _everything(selection: Selection, mend: str) -> Iterator[str]:
    if selection.everything is not None:
        text = f"all tests run: {selection.everything}"
        yield f"{text}. {mend}" if mend else text


def summary(
    selection: Selection, outcome: Outcome, notes: Sequence[str], ends_early: bool
) -> Iterator[str]:
    """The block at the end: how much was selected, why, and what else is worth knowing."""
    if ends_early:
        yield nothing(selection)
    else:
        yield _selected(outcome)
        shown = outcome.reasons()
        for reason, number in shown[:_REASONS_SHOWN]:
            yield f"  {number:>6,}  {printable(reason)}"
        rest = shown[_REASONS_SHOWN:]
        if rest:
            yield (
                f"  {sum(number for _, number in rest):>6,}  for {count(len(rest), 'other reason')}"
                " (--ciopt-explain shows all)"
            )
    yield from (f"note: {printable(note)}" for note in notes)


def _selected(outcome: Outcome) -> str:
    text = f"{outcome.selected:,} of {count(len(outcome.tests), 'collected test')} selected"
    if not outcome.unread:
        return text
    unread = count(outcome.unread, "module")
    return (
        f"{text}, in {outcome.modules:,} of {count(outcome.known_modules, 'test module')}; "
        f"{unread} not imported"
    )


def nothing(selection: Selection) -> str:
    """Why nothing runs."""
    if not selection.changed:
        return "nothing to run: nothing changed since the base"
    files = count(len(selection.changed), "changed file")
    proved = len(selection.proved_modules)
    if proved:
        modules = count(proved, "test module")
        return f"nothing to run: {files}; {modules} reached, and all tests proved by earlier runs"
    return f"nothing to run: {files}, and no test that {_they(len(selection.changed))} can affect"


def _they(number: int) -> str:
    return "it" if number == 1 else "they"


def changed(files: Sequence[ChangedFile]) -> Iterator[str]:
    """A line a changed file: what happened to it and what it can alter."""
    for file in files:
        change = file.change
        origin = f" from {change.renamed_from}" if change.renamed_from else ""
        yield printable(f"{change.path}: {change.status.value}{origin}; {file.effect}")


def explanation(outcome: Outcome) -> Iterator[str]:
    """A line a test, and a line a module that was not imported."""
    for test in outcome.tests:
        said = f"{'runs' if test.selected else 'dropped':<8} {test.nodeid}: {test.reason}"
        yield printable(said)
    for path, reason in sorted(outcome.dropped_modules.items()):
        yield printable(f"{'dropped':<8} {path} (not imported): {reason}")
