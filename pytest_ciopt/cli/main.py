"""The command `ciopt`: finds the family of a command and turns errors into exit codes.

Uses argparse instead of a richer library because importing one costs a fifth of what a warm
decision may take (`benchmarks/decision.py`).
"""

import argparse
import codecs
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

from pytest_ciopt import __version__
from pytest_ciopt.errors import CioptError

_FAMILIES = {
    "select": "print the test files that the change can affect",
    "why": "explain why a test runs or not",
    "plan": "divide the tests among shards, once for all jobs",
    "verify": "prove that the shards of a plan ran each test once",
    "check": "judge together what several jobs did",
    "bench": "compare benchmarks, show their trend, measure what the gate finds",
    "coverage": "combine coverage, show its trend, draw a badge",
    "history": "show, merge and prune what runs have left",
    "demo": "show a selection on a small project made for it",
}
OK, FAILED, USAGE, UNEXPECTED, INTERRUPTED = 0, 1, 2, 70, 130


def command() -> NoReturn:
    """The script `ciopt`: does what `main` does, in a process that ends with it.

    Neither a collection of garbage nor the release of each object in the end is worth its time
    then; of a large repository they cost as much as the start of Python.
    """
    gc.disable()
    code = main()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # one that was closed is None
        with suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code (see docs/reference/exit-codes.md)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    family = next((word for word in words if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="ciopt", description="Fast CI for pytest, not blind.")
    parser.add_argument("--version", action="version", version=f"ciopt {__version__}")
    commands = (
        parser.add_subparsers(  # `prog`, or argparse works it out with a help text and its imports
            prog="ciopt", dest="command", metavar="COMMAND", required=True
        )
    )
    for name, text in _FAMILIES.items():
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        if name == family:  # the others are not imported
            import_module(f"pytest_ciopt.cli.{name}").add(command)
    options = parser.parse_args(words)
    if isinstance(sys.stdout, TextIOWrapper):
        codecs.register_error("ciopt", _written)
        sys.stdout.reconfigure(errors="ciopt")
    return _run(options)


def _written(error: UnicodeError) -> tuple[str | bytes, int]:
    """Names of files can be any bytes; other characters the output may lack are spelled out."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.backslashreplace_errors(error)


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except CioptError as error:
        _complain(str(error))
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `ciopt select | head`; the interpreter would flush once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:  # a full disk, a missing permission: not ours to mend
        place = "" if error.filename is None else f"{error.filename}: "
        _complain(f"{place}{error.strerror or error}")
        return USAGE
    except Exception as error:
        from pytest_ciopt.adapters import crashlog

        place = crashlog.write(error, None)
        _complain(f"{type(error).__name__}: {error} (details in {place})")
        return UNEXPECTED


def _complain(text: str) -> None:
    """What went wrong may quote what somebody else wrote."""
    from pytest_ciopt.report.tables import printable

    print("ciopt:", "\n".join(map(printable, text.split("\n"))), file=sys.stderr)
