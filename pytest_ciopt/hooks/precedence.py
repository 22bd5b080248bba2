"""Where a plan of shards meets a selection that the project's configuration asks for.

Who selects by default has `--ciopt-changed` in `addopts`, where nobody can leave it out for one
job. So the plan decides. Typed beside a plan the flag is a contradiction, and refused elsewhere.
"""

import copy

import pytest

from pytest_ciopt.hooks.options import FLAG, from_file

_LEFT = pytest.StashKey[bool]()


def plan_first(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Leaves the flag out of what pytest is about to parse for good, unless somebody typed it."""
    typed = (word for arg in early_config.invocation_params.args for word in from_file(str(arg)))
    if any(map(_is_flag, typed)):
        return
    end = args.index("--") if "--" in args else len(args)
    kept = [word for word in args[:end] if not _is_flag(word)] + args[end:]
    again = parser.parse_known_args(kept, namespace=copy.copy(early_config.option))
    if getattr(again, "ciopt_changed", None) is None:  # else a file of arguments has it
        args[:] = kept
        early_config.known_args_namespace.ciopt_changed = None
        early_config.stash[_LEFT] = True


def _is_flag(word: str) -> bool:
    return word.partition("=")[0] == FLAG


def note(config: pytest.Config, base: str | None) -> tuple[str, ...]:
    """What people should know: the base of the plan tells what runs instead."""
    if not config.stash.get(_LEFT, False):
        return ()
    instead = "of all tests" if base is None else f"of what a change since {base[:12]} can affect"
    note = f"the plan decides, not the --ciopt-changed of addopts: it is {instead}"
    return (note,)
