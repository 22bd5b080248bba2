"""Whose code it is that was imported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.gates.answers import Answer, NoAnswer, answer, answer_text
from pytest_ciopt.core.gates.origins import built, roots_of, stranger, wanted_roots
from strategies import TEXT

FLAT = ("shop/__init__.py", "shop/cart.py", "tests/conftest.py", "tests/helper.py", "types.py")
SRC = ("src/shop/__init__.py", "src/shop/cart.py")
INSTALLED = "/env/lib/site-packages"


def test_roots() -> None:
    assert roots_of((*FLAT, "packages/one/lib/one/__init__.py", "a/b/__init__.py")) == (
        *("", "a", "packages/one/lib", "src"),
    )


@pytest.mark.parametrize(
    ("paths", "modules", "roots"),
    [
        (FLAT, {"shop.cart": "/head/shop/cart.py"}, ("",)),
        (SRC, {"shop": "/head/src/shop/__init__.py"}, ("src",)),
        (SRC, {"shop.cart": f"{INSTALLED}/shop/cart.py"}, ("src",)),
        (FLAT, {"helper": "/head/tests/helper.py"}, ("tests",)),
        (FLAT, {"conftest": "/head/tests/conftest.py"}, ()),
        (FLAT, {"json": "/usr/lib/json/__init__.py", "types": "/usr/lib/types.py"}, ()),
        (FLAT, {"other": f"/head/.venv/{INSTALLED}/other.py"}, ()),
        ((*FLAT, "src/a/b.py"), {"a.b": "/head/src/a/b.py"}, ("src",)),  # no package tells
    ],
)
def test_from_where_to_import(
    paths: tuple[str, ...], modules: dict[str, str], roots: tuple[str, ...]
) -> None:
    assert wanted_roots(modules, "/head", paths) == roots


@pytest.mark.parametrize(
    ("paths", "name", "file", "is_one"),
    [
        (FLAT, "shop.cart", "/base/shop/cart.py", False),
        (FLAT, "shop.cart", "/head/shop/cart.py", True),  # an editable installation
        (SRC, "shop.cart", f"{INSTALLED}/shop/cart.py", True),  # a plain one
        (SRC, "other", f"{INSTALLED}/other/__init__.py", False),
        (SRC, "other", f"/head/.venv/{INSTALLED}/other/__init__.py", False),
        (SRC, "shop", f"/head/.venv/{INSTALLED}/shop/__init__.py", True),
        (FLAT, "types", "/usr/lib/types.py", False),
        (SRC, "shop.fast", f"{INSTALLED}/shop/fast.so", False),  # it is not in the tree
        (SRC, "shop", "/headless/shop/__init__.py", True),
    ],
)
def test_strangers(paths: tuple[str, ...], name: str, file: str, is_one: bool) -> None:
    found = stranger({name: file}, "/base", "/head", paths)
    assert found == (f"{name} comes from {file}" if is_one else None)


def test_what_was_built() -> None:
    modules = {
        "shop": "/head/shop/__init__.py",
        "shop.fast": "/head/shop/fast.so",
        "shop.kept": "/head/shop/kept.so",
        "shop._version": "/head/shop/_version.py",
        "other": f"{INSTALLED}/other.so",
    }
    assert built(modules, "/head", (*FLAT, "shop/kept.so")) == {"shop.fast"}


@given(st.sets(TEXT), st.dictionaries(TEXT, TEXT), st.dictionaries(TEXT, TEXT))
def test_answers_come_as_they_went(
    collected: set[str], failed: dict[str, str], modules: dict[str, str]
) -> None:
    whole = Answer({}, frozenset(collected), failed, modules)
    assert answer(answer_text(whole)) == whole


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"benchmarks": [1]}', '{"benchmarks": ["{}"]}'])
def test_no_answers(text: str) -> None:
    with pytest.raises(NoAnswer):
        answer(text)
