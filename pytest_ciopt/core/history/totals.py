"""Counts of what tests covered. Pure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts as coverage.py counts them."""

    statements: int = 0
    covered: int = 0
    """Of these."""
    branches: int = 0
    """0 as well where branches are not measured."""
    covered_branches: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.statements + other.statements,
            self.covered + other.covered,
            self.branches + other.branches,
            self.covered_branches + other.covered_branches,
        )

    @property
    def percent(self) -> "Fraction":
        """Covered lines and branches of all lines and branches; 100 of nothing.

        **Source:** coverage.py, `Numbers.pc_covered`.
        """
        from fractions import Fraction  # slow to import, and few runs have coverage

        of = self.statements + self.branches
        return Fraction(100 * (self.covered + self.covered_branches), of) if of else Fraction(100)
