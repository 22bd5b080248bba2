from collections.abc import Iterable, Mapping, Sequence

import pytest

from loading import indexed, laid_out
from pytest_ciopt.core.graph.data_names import DataNames
from pytest_ciopt.core.graph.dependents import search
from pytest_ciopt.usecases.effects import Effect
from pytest_ciopt.usecases.leading import Leads
from pytest_ciopt.usecases.texts import Texts


class Contents:
    """Sources in memory."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self.sources = sources

    def read(self, path: str) -> bytes | None:
        return self.sources.get(path)

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        raise AssertionError(blobs)


def texts_of(sources: Mapping[str, bytes], *installed: str) -> Texts:
    return Texts(Contents(sources), indexed(sources), laid_out(sources), installed.__contains__)


def test_who_meets_installed_code() -> None:
    sources = {
        "shop.py": b"import os, money\nTEXT = 'theirs.things'\n",
        "money.py": b"",
        "tests/test_shop.py": b"import shop, pytest\n",
        "tests/test_money.py": b"import money, theirs.things\n",
    }
    texts = texts_of(sources, "theirs", "pytest", "money", "os")
    assert not texts.meets_installed("tests/test_shop.py")
    assert texts.meets_installed("shop.py")  # a text may name what is loaded
    assert texts.meets_installed("money.py")
    assert not texts_of(sources).meets_installed("money.py")


NAMED = {
    "shop/__init__.py": b"",
    "shop/views/__init__.py": b"",
    "shop/views/pen.py": b"PEN = 1\n",
    "shop/other.py": b"import shop.views.pen\n",
    "tests/test_pen.py": b"from shop.views import pen\npen.PEN\n",
}


@pytest.mark.parametrize(
    ("app", "led"),
    [
        (b"find('shop.views')", True),
        (b"find('shop.views.pen')", True),
        (b"find('.views.pen')", True),
        (b"def f(config): config.scan()", True),
        (b"import shop.views.pen", False),
        (b"getLogger('shop.views.pen')", False),
        (b"import_module('shop.views.pen')", False),
        (b"find('shop.views.pen.PEN')", False),  # it says what is used
    ],
)
def test_who_is_led_to_by_strings(app: bytes, led: bool) -> None:
    texts = texts_of({**NAMED, "shop/app.py": app})
    assert texts.is_led_to("shop/views/pen.py") == led
    assert texts.is_looked_up("shop/views/pen.py", "PEN") == led
    assert not texts.is_led_to("tests/test_pen.py")


@pytest.mark.parametrize("name", ["shop.views", "shop.views.pen", "shop.views.pen.PEN"])
def test_who_is_led_to_by_data(name: str) -> None:
    index, layout = indexed(NAMED), laid_out(NAMED, data=(DataNames("a.yaml", (name,)),))
    read, unread = Effect("", seeds={"tests/test_pen.py": "reads it"}), Effect("")
    for effect in (read, unread):
        leads = Leads(search, index, layout, {"a.yaml": effect}.__getitem__)
        texts = Texts(Contents(NAMED), index, layout, leads=leads)
        assert texts.is_looked_up("shop/views/pen.py", "PEN") == (effect is read)
        assert not texts.is_led_to("shop/other.py")


def test_who_checks_types() -> None:
    sources = {"shop.py": b"def f(x: int): ...\n"}
    assert not texts_of(sources).checks_types()
    assert texts_of(sources, "typeguard").checks_types()
    assert texts_of(sources | {"conftest.py": b"sys.meta_path.insert(0, F())\n"}).checks_types()


@pytest.mark.parametrize("words", [(b"goods",), (b"goods", b"f")])
def test_around_a_word_annotations_are_what_they_are_in_the_whole(words: Sequence[bytes]) -> None:
    source = b"from __future__ import annotations\n\n\ndef f(goods: Cart): ...\n"
    texts = texts_of({"shop.py": source})
    for word in words:
        cut = texts.around("shop.py", word.decode())
        assert cut is not None
        assert "Cart" in cut.definitions["f"].mentions - cut.definitions["f"].named.values
    assert texts.cut("shop.py") is not None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"name", True),
        (b"x.name()", True),
        (b"x = 'name'", True),
        (b"x = 'a\\nname'", True),
        (b"x = '\\tname'", True),
        ("é name".encode(), True),
        (b"my_name = 1", False),
        (b"names = 1", False),
        (b"a_name_of = names", False),
        (b"rename; name", True),
        (b"", False),
    ],
)
def test_a_word_is_not_a_part_of_a_longer_one(source: bytes, expected: bool) -> None:
    """Be it asked once or often: for the latter there is another way of looking."""
    sources = {"a.py": source}
    texts = Texts(Contents(sources), indexed(sources), laid_out(sources))
    assert [texts.mentions("a.py", "name") for _ in range(80)] == [expected] * 80
