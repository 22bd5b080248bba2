"""What asking for something adds to a run of one test, in an environment that is new, or in use.

    python benchmarks/startup.py [--rounds 9]

Run it with the Python of an environment that has pytest-ciopt. An installation leaves bytecode of
every module; pytest keeps its own of the modules of plugins, in which it has looked for assertions
to rewrite. New is an environment that has the former and none of the latter, as in most CI jobs.
Prints Markdown, in seconds of CPU.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from corpus import committed
from cpu import Contender, environment, in_turns, middle

_ASKED = ((), ("--ciopt-changed",), ("--ciopt-record=results",), ("--ciopt-record=deps",))


def _repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_one.py").write_text("def test_one(): pass\n")
    committed(folder, "one")
    return folder


def _renew(bytecode: Path) -> None:
    """Removes what pytest compiled of modules of ours."""
    for compiled in bytecode.rglob("pytest_ciopt/**/*-pytest-*.pyc"):
        compiled.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    plain = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = _repository(Path(temporary) / "one"), Path(temporary) / "cache"
        environ = environment(cache)
        used = {" ".join(asked): Contender((*plain, *asked)) for asked in _ASKED}
        new = {
            name: Contender(used[name].command, before=lambda: _renew(cache / "bytecode"))
            for name in used
        }
        in_turns(used, 1, folder, environ)  # compiles everything
        print("| asked for | new environment | used environment |\n|---|---|---|")
        costs = [in_turns(state, options.rounds, folder, environ) for state in (new, used)]
        without = [middle(cost[""]).cpu for cost in costs]
        print(f"| nothing | {without[0]:.2f} | {without[1]:.2f} |")
        for name in list(used)[1:]:
            added = [
                middle(cost[name]).cpu - each for cost, each in zip(costs, without, strict=True)
            ]
            print(f"| `{name}` | +{added[0]:.2f} | +{added[1]:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
