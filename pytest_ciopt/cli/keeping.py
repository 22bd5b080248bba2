"""`ciopt history merge`, `import`, `prune`, `compact` and `check`."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.cli.place import place, print_json, warn
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report.lines import count
from pytest_ciopt.usecases import keeping, merging
from pytest_ciopt.usecases.importing import import_files


def merge(options: argparse.Namespace) -> int:
    """Runs of other histories. Exit code 1 when a file was refused."""
    where = place()
    _exist(options.paths)
    kept = merging.merge(
        where.state, options.paths, where.repository(), now(), untrusted=options.untrusted
    )
    tell(
        options,
        kept,
        f"{count(kept.done, 'run')} merged, {kept.left:,} known already, "
        f"{count(kept.refused, 'file')} refused",
    )
    return 1 if kept.refused else 0


def take_over(options: argparse.Namespace) -> int:
    """Results of other tools. Exit code 1 when a file was refused."""
    where = place()
    _exist(options.paths)
    kept = import_files(where.state, where.top, options.paths, now(), root=where.root)
    tell(
        options,
        kept,
        f"{count(kept.done, 'run')} imported, {kept.left:,} known already, "
        f"{count(kept.refused, 'file')} refused",
    )
    return 1 if kept.refused else 0


def _exist(paths: Iterable[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise CioptError(f"{path} does not exist", "Nothing was changed.")


def prune(options: argparse.Namespace) -> int:
    """Removes runs beyond a limit."""
    limits = keeping.Limits(options.older_than, options.keep, options.max_size)
    if limits == keeping.Limits():
        raise CioptError(
            "ciopt history prune needs a limit", "Give --older-than, --keep or --max-size."
        )
    kept = keeping.prune(place().state, limits, now(), options.dry_run)
    verb = "would be removed" if options.dry_run else "removed"
    tell(options, kept, f"{count(kept.done, 'run')} {verb}, {kept.left:,} stay")
    return 0


def compact(options: argparse.Namespace) -> int:
    """Packs older runs."""
    kept = keeping.compact(place().state, options.keep, now())
    tell(options, kept, f"{count(kept.done, 'run')} packed, {kept.left:,} stay as they are")
    return 0


def check(options: argparse.Namespace) -> int:
    """Exit code 1 when something was damaged."""
    kept = keeping.check(place().state, now())
    said = f"{count(kept.left, 'run')} can be read, {count(kept.done, 'damaged file')} set aside"
    stay = kept.refused - kept.done
    more = f", {count(stay, 'file')} cannot be read, and left there" if stay else ""
    tell(options, kept, said + more)
    return 1 if kept.refused else 0


def tell(options: argparse.Namespace, kept: keeping.Kept, text: str) -> None:
    """What came of it, as text or as JSON."""
    warn(kept.told)
    if options.json:
        counts = {"done": kept.done, "left": kept.left, "refused": kept.refused}
        print_json({**counts, "told": kept.told})
    else:
        print(text)
