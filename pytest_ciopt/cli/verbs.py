"""Commands that have verbs of their own, such as `ciopt history show`."""

import argparse
from collections.abc import Callable
from typing import Protocol


class Verb(Protocol):
    """Adds a verb."""

    def __call__(
        self,
        name: str,
        text: str,
        run: Callable[[argparse.Namespace], int],
        *,
        json: bool = True,
    ) -> argparse.ArgumentParser:
        """`text` is what it does; with `json` it has the flag that asks for JSON."""


def verbs(parser: argparse.ArgumentParser) -> Verb:
    """For a command that is nothing without a verb."""
    commands = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(
        name: str,
        text: str,
        run: Callable[[argparse.Namespace], int],
        *,
        json: bool = True,
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        if json:
            made.add_argument("--json", action="store_true", help="print JSON instead of text")
        made.set_defaults(run=run)
        return made

    return verb


def positive(text: str) -> int:
    """A number of things to show or to do. Raises: ValueError, argparse.ArgumentTypeError."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number
