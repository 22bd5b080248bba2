import pytest

from pytest_ciopt.core.graph.data_names import DataNames, beginnings, named


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("operationId: shop.pets.search\n", ["shop.pets.search"]),
        ('{"class": "shop.log.Handler", "level": 1.5}', ["shop.log.Handler"]),
        ("[settings]\ndefault = shop.settings\n", ["shop.settings"]),
        ("use = call:shop:main", ["shop"]),
        ('run = ["shop.web:app"]', ["shop.web"]),
        ("<tool factory='shop.tools.Pen'/>", ["shop.tools.Pen"]),
        ("<tool>shop.tools</tool>", ["shop.tools"]),
        ("apps: [shop.one, shop.two]  # both", ["shop.one", "shop.two"]),
        ("SETTINGS=shop.settings", ["shop.settings"]),
        ("- shop.one\r\n- shop.two\r\n", ["shop.one", "shop.two"]),
        ("plugins:\n  shop.pen.Pen: {size: 1}\n", ["shop.pen.Pen"]),
        ('{"shop.pen.Pen": {"size": 1}}', ["shop.pen.Pen"]),
        ("[shop.pen]\nshop.pen.Pen=1\n[tool:shop.ink]", ["shop.ink", "shop.pen", "shop.pen.Pen"]),
        ("value: ${shop.pen.price(1)}", ["shop.pen.price"]),
        ("pet: !!python/object:shop.pets.Pet {}", ["shop.pets.Pet"]),
        # no names of modules
        ("name: shop", []),
        ("shop:\n  one: 1", []),
        ("site: http://shop.com/shop.html", []),
        ("mail: me@shop.com", []),
        ("path: shop/goods.py", []),
        ("file: data/shop.goods", []),
        ("other: workshop.tools", []),
        ("version: 1.shop.2", []),
        ("other: money.tools", []),
        ("", []),
    ],
)
def test_what_names_a_module(text: str, expected: list[str]) -> None:
    assert list(named(text.encode(), "a.yaml", ("shop",))) == expected


def test_names_that_begin_at_the_module_beside() -> None:
    text = b'<tool factory=".tools.Pen"/>'
    assert named(text, "src/shop/a.zcml", ()) == ("src.shop.tools.Pen",)
    assert named(text, "src/shop/a.xml", ()) == ()


def test_bytes_that_are_no_text_hide_nothing() -> None:
    assert named(b"\xff\0 shop.one \xe4", "a.cfg", ("shop",)) == ("shop.one",)


def test_what_names_begin_with() -> None:
    files = [
        *("src/shop/__init__.py", "src/shop/goods/__init__.py", "src/shop/goods/pen.py"),
        *("tests/test_pen.py", "conf.py", "lib/money.py", "deep/down/below/far.py"),
        *("deep/down/below/pack/__init__.py", "odd-name/a.py"),
    ]
    found = {"conf", "deep", "down", "lib", "money", "pack", "shop", "src", "tests"}
    assert beginnings(files) == tuple(sorted(found))


def test_what_is_led_to() -> None:
    data = DataNames("a.yaml", ("shop.pets.search",))
    assert data.leads_to("shop.pets")
    assert data.leads_to("shop.pets.search")
    assert not data.leads_to("shop.pet")
    assert not data.leads_to("shop.pets.search.more")
