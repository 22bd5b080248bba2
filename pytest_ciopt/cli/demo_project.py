"""The project that `ciopt demo` makes and what it changes there: only values."""

import re
from dataclasses import dataclass

FILES = {
    "pyproject.toml": """\
[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
""",
    ".gitignore": """\
__pycache__/
.coverage*
""",
    "shop/__init__.py": "",
    "shop/prices.py": """\
def with_tax(cents, percent):
    return cents + cents * percent // 100


def shown(cents):
    return f"{cents // 100}.{cents % 100:02}"
""",
    "shop/cart.py": """\
from shop.prices import with_tax


class Cart:
    def __init__(self):
        self.cents = []

    def add(self, cents):
        self.cents.append(cents)

    def receipt(self, customer):
        return f"{customer['name']} pays {with_tax(sum(self.cents), 20)} cents"
""",
    "shop/stock.py": """\
def take(shelf, thing, number):
    if shelf.get(thing, 0) < number:
        raise LookupError(thing)
    return {**shelf, thing: shelf[thing] - number}
""",
    "shop/mailer.py": """\
def letter(customer, text):
    return f"To: {customer['mail']}\\n\\nDear {customer['name']},\\n{text}"


def subject(text):
    return text.partition(".")[0]
""",
    "tests/conftest.py": """\
import pytest


@pytest.fixture
def customer():
    return {"name": "Ada", "mail": "ada@example.org"}


@pytest.fixture
def shelf():
    return {"pen": 3, "cup": 1}
""",
    "tests/test_prices.py": """\
from shop import prices


def test_tax_is_added():
    assert prices.with_tax(100, 20) == 120


def test_cents_have_two_digits():
    assert prices.shown(1205) == "12.05"
""",
    "tests/test_cart.py": """\
from shop.cart import Cart


def test_new_cart_is_empty():
    assert Cart().cents == []


def test_receipt_has_name_and_total(customer):
    cart = Cart()
    cart.add(1000)
    assert cart.receipt(customer) == f"{customer['name']} pays 1200 cents"
""",
    "tests/test_stock.py": """\
import pytest

from shop.stock import take


def test_taken_things_are_gone(shelf):
    assert take(shelf, "pen", 1)["pen"] == 2


def test_other_things_stay(shelf):
    assert take(shelf, "pen", 1)["cup"] == 1


def test_no_more_than_there_is(shelf):
    with pytest.raises(LookupError):
        take(shelf, "cup", 2)
""",
    "tests/test_mailer.py": """\
from shop.mailer import letter, subject


def test_letter_has_an_address(customer):
    assert letter(customer, "Thanks.").startswith("To: " + customer["mail"])


def test_letter_has_a_name(customer):
    assert customer["name"] in letter(customer, "Thanks.")


def test_subject_is_the_first_sentence():
    assert subject("Thanks. Come again.") == "Thanks"
""",
}
"""Text by path."""

_TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)


def tests_in(module: str) -> frozenset[str]:
    """All tests of `tests/<module>.py`, as `module::function`."""
    return frozenset(f"{module}::{name}" for name in _TEST.findall(FILES[f"tests/{module}.py"]))


ALL_TESTS = frozenset().union(
    *(tests_in(name) for name in ("test_prices", "test_cart", "test_stock", "test_mailer"))
)


@dataclass(frozen=True, slots=True)
class Step:
    """One change to the committed project, and which tests have to run upon it."""

    title: str
    path: str
    old: str
    """Stands exactly once in the file; empty when the file is a new one."""
    new: str
    expected: frozenset[str]

    def text(self) -> str:
        """The file's text after the change."""
        return FILES[self.path].replace(self.old, self.new) if self.old else self.new

    def line(self) -> str:
        """The change as one line of a diff."""
        return f"+ {self.new.strip().splitlines()[0]}" if self.old else "+ (a new file)"


STEPS = (
    Step(
        title="A function is written differently: what imports it runs, directly or via cart.py.",
        path="shop/prices.py",
        old="return cents + cents * percent // 100",
        new="return cents * (100 + percent) // 100",
        expected=tests_in("test_prices") | tests_in("test_cart"),
    ),
    Step(
        title="The same function gets a comment: nothing can have changed, nothing runs.",
        path="shop/prices.py",
        old="    return cents + cents",
        new="    # Whole cents, rounded down.\n    return cents + cents",
        expected=frozenset(),
    ),
    Step(
        title="One test is edited: that test runs.",
        path="tests/test_stock.py",
        old='assert take(shelf, "pen", 1)["pen"] == 2',
        new='assert take(shelf, "pen", 3)["pen"] == 0',
        expected=frozenset({"test_stock::test_taken_things_are_gone"}),
    ),
    Step(
        title="One fixture of the conftest is edited: the tests that use it run.",
        path="tests/conftest.py",
        old='return {"name": "Ada", "mail": "ada@example.org"}',
        new='return {"name": "Grace", "mail": "grace@example.org"}',
        expected=frozenset(
            {
                "test_cart::test_receipt_has_name_and_total",
                "test_mailer::test_letter_has_an_address",
                "test_mailer::test_letter_has_a_name",
            }
        ),
    ),
    Step(
        title="A file appears that nobody can explain: better safe, everything runs.",
        path="mystery.bin",
        old="",
        new="Who reads this?\n",
        expected=ALL_TESTS,
    ),
)
