from pathlib import Path

import pytest

from pytest_ciopt.adapters.entrypoints import commands, contents, declared, plugins
from pytest_ciopt.core.graph.commands import Command

PLUGIN_TABLES = {
    "pyproject": '[project.entry-points.pytest11]\nmine = "pkg.plugin"\n',
    "quoted": '[project.entry-points."pytest11"]\n"mine" = "pkg.plugin"\n',
    "single quotes": "[project.entry-points.'pytest11']\nmine = 'pkg.plugin'\n",
    "inline table": '[project.entry-points]\npytest11 = { mine = "pkg.plugin" }\n',
    "inline in project": '[project]\nentry-points.pytest11 = {mine = "pkg.plugin"}\n',
    "all inline": '[project]\nentry-points = {pytest11 = {mine = "pkg.plugin"}}\n',
    "dotted key": '[project.entry-points]\npytest11.mine = "pkg.plugin"\n',
    "poetry": '[tool.poetry.plugins.pytest11]\nmine = "pkg.plugin"\n',
    "poetry, quoted": '[tool.poetry.plugins."pytest11"]\nmine = "pkg.plugin"\n',
    "with comments": '[project.entry-points.pytest11]  # ours\n# one\nmine = "pkg.plugin"  # two\n',
    "second": '[project.entry-points.pytest11]\nother = "pkg.other"\nmine = "pkg.plugin"\n',
    "followed": '[project.entry-points.pytest11]\nmine = "pkg.plugin"\n\n[tool.x]\na = "b"\n',
    "CRLF": '[project.entry-points.pytest11]\r\nmine = "pkg.plugin"\r\n\r\n[x]\r\n',
    "with an attribute": '[project.entry-points.pytest11]\nmine = "pkg.plugin:Plugin.instance"\n',
    "setup.cfg": "[options.entry_points]\npytest11 =\n    mine = pkg.plugin\n",
    "setup.cfg, second group": (
        "[options.entry_points]\nconsole_scripts =\n    a = b:c\n"
        "pytest11 =\n    mine = pkg.plugin\n"
    ),
    "setup.py": 'setup(entry_points={"pytest11": ["mine = pkg.plugin"]})\n',
    "setup.py, single quotes": "setup(entry_points={'pytest11': ['mine=pkg.plugin']})\n",
    "setup.py, lines": (
        "setup(\n    entry_points={\n        'pytest11': [\n            'other = pkg.other',\n"
        "            'mine = pkg.plugin',\n        ],\n    },\n)\n"
    ),
    "setup.py, tuple": 'setup(entry_points={"pytest11": ("mine = pkg.plugin",)})\n',
    "setup.py, one": 'setup(entry_points={"pytest11": "mine = pkg.plugin"})\n',
    "setup.py, dict()": 'setup(entry_points=dict(pytest11=["mine = pkg.plugin"]))\n',
    "setup.py, text": 'setup(entry_points="""\n[pytest11]\nmine = pkg.plugin\n""")\n',
}


@pytest.mark.parametrize("text", PLUGIN_TABLES.values(), ids=PLUGIN_TABLES)
def test_plugins_that_the_project_registers(text: str) -> None:
    assert "pkg.plugin" in plugins((text.encode(),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[project.scripts]\nmine = "pkg.cli:main"\n',
        '[project.entry-points.other]\nmine = "pkg.plugin"\n',
        '[project]\ndependencies = ["pytest"]\n',
    ],
)
def test_other_tables_register_no_plugins(text: str) -> None:
    assert plugins((text.encode(),)) == ()


def test_plugins_of_all_configurations_are_sorted() -> None:
    one = b'[project.entry-points.pytest11]\nx = "b"\ny = "c.d"\n'
    assert plugins((one, b"", b'[project.entry-points.pytest11]\nz = "a"\n')) == ("a", "b", "c.d")


GROUPS = {
    "table": '[project.entry-points."my.group"]\none = "pkg.one:f"\ntwo = "pkg.two"\n',
    "bare": '[project.entry-points.my]\none = "pkg.one"\ntwo = "pkg.two:g"\n',
    "extras": '[project.entry-points."my.group"]\none = "pkg.one:f [x]"\ntwo = "pkg.two"\n',
    "comments": '[project.entry-points."my.group"]\none = "pkg.one"  # 1\ntwo = "pkg.two"# 2\n',
    "inline": '[project.entry-points]\nmy = {one = "pkg.one:f", two = "pkg.two"}\n',
    "inline, spaced": '[project.entry-points]\nmy = { one = "pkg.one:f", two = "pkg.two" }\n',
    "poetry": '[tool.poetry.plugins."my.group"]\none = "pkg.one"\ntwo = "pkg.two:C.m"\n',
    "setup.cfg": "[options.entry_points]\nmy.group =\n    one = pkg.one\n    two = pkg.two:f\n",
    "setup.py": "setup(entry_points={'my.group': ['one = pkg.one', 'two=pkg.two:f']})\n",
    "setup.py, lines": (
        "setup(entry_points={\n  'my.group': [\n"
        "    'one = pkg.one',\n    'two = pkg.two',\n  ]\n})\n"
    ),
    "setup.py, tuple": "setup(entry_points={'my.group': ('one = pkg.one', 'two = pkg.two')})\n",
    "setup.py, one each": "setup(entry_points={'my': 'one = pkg.one', 'b': 'two = pkg.two'})\n",
    "setup.py, text": "setup(entry_points='''\n[my.group]\none = pkg.one\ntwo = pkg.two\n''')\n",
    "spaced": '[project.entry-points."my.group"]\none="pkg.one : f"\ntwo   =   "pkg.two"\n',
}


@pytest.mark.parametrize("text", GROUPS.values(), ids=GROUPS)
def test_entry_points_of_groups_of_the_project(text: str) -> None:
    found = declared((text.encode(),))
    assert len(found) == 1
    assert {"pkg.one", "pkg.two"} <= found[0].modules
    assert any(group in (b"my", b"my.group") for group in found[0].groups)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[project.scripts]\nmine = "pkg.cli:main"\n',
        '[project.entry-points.pytest11]\nmine = "pkg.plugin"\n',
        "[options.entry_points]\nconsole_scripts =\n    a = b:c\n",
        '[tool.x]\nname = "y"\n',
    ],
)
def test_what_others_load_is_no_group_of_ours(text: str) -> None:
    assert declared((text.encode(),)) == ()


SCRIPTS = {
    "table": '[project.scripts]\nshop-report = "shop.cli:main"\n',
    "quoted": "[project.scripts]\n'shop-report' = 'shop.cli:main'\n",
    "for a window": '[project.gui-scripts]\nshop-report="shop.cli:main"\n',
    "with extras": '[project.scripts]\nshop-report = "shop.cli:main [pretty]"\n',
    "of a class": '[project.scripts]\nshop-report = "shop.cli:Command.main"\n',
    "inline table": '[project]\nscripts = {a = "b:c", shop-report = "shop.cli:main"}\n',
    "dotted key": '[project]\nscripts.shop-report = "shop.cli:main"\n',
    "dotted and quoted": '[project]\nscripts."shop-report" = "shop.cli:main"\n',
    "group": '[project.entry-points.console_scripts]\nshop-report = "shop.cli:main"\n',
    "poetry": '[tool.poetry.scripts]\nshop-report = "shop.cli:main"\n',
    "poetry, described": (
        "[tool.poetry.scripts]\n"
        'shop-report = {type = "console", reference = "shop.cli:main", extras = ["a"]}\n'
    ),
    "poetry, older": '[tool.poetry.scripts]\nshop-report = {callable = "shop.cli:main"}\n',
    "flit": '[tool.flit.scripts]\nshop-report = "shop.cli:main"\n',
    "setup.cfg": "[options.entry_points]\nconsole_scripts =\n    shop-report = shop.cli:main\n",
    "setup.cfg, spaced": "console_scripts =\n    shop-report=shop.cli : main\n",
    "setup.py": "setup(entry_points={'console_scripts': ['a=b:c', 'shop-report=shop.cli:main']})",
    "setup.py, text": "entry_points='''\n[console_scripts]\nshop-report = shop.cli:main\n'''\n",
    "CRLF": '[project.scripts]\r\nshop-report = "shop.cli:main"\r\n',
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_commands_that_the_project_installs(text: str) -> None:
    assert Command("shop-report", ("shop.cli",)) in commands((text.encode(),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[project]\nname = "scripts"\nurls = {Home = "https://example.org"}\n',
        '[project.entry-points.pytest11]\nmine = "pkg.plugin:Plugin"\n',
        "setup(entry_points={'console_scripts': ['shop%s = shop.cli:main' % VERSION]})\n",
        "setup(entry_points={'console_scripts': [f'shop{VERSION} = shop.cli:main']})\n",
    ],
)
def test_other_lines_are_no_commands(text: str) -> None:
    assert commands((text.encode(),)) == ()


def test_a_command_that_two_configurations_install_is_either() -> None:
    one, two = b'[project.scripts]\nx = "b:f"\n', b'[project.scripts]\nx = "a.b:f"\ny = "c:f"\n'
    assert commands((one, two)) == (Command("x", ("a.b", "b")), Command("y", ("c",)))


def test_each_configuration_keeps_its_own(tmp_path: Path) -> None:
    texts = {
        "pyproject.toml": '[project.entry-points.a]\nx = "one"\n',
        "packages/b/setup.cfg": "[options.entry_points]\nb =\n    y = two\n",
        "packages/c/setup.py": "",
        "packages/c/other.toml": '[project.entry-points.c]\nz = "three"\n',
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = declared(contents(tmp_path, [*texts, "missing/pyproject.toml"]))
    assert [(sorted(e.groups), sorted(e.modules)) for e in found] == [
        ([b"a"], ["one"]),
        ([b"b"], ["two"]),
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe entry-points pytest11", b"pytest11 = {" * 2_000, b"pytest11=a=a" * 2_000,
     b"entry_points plugins. = =" * 2_000, b"entry-points\n" + b"a = {\n" * 5_000,
     b"pytest11\n" + b"# x\n" * 5_000 + b"!"],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_hostile_content_raises_nothing_and_ends(content: bytes) -> None:
    assert isinstance(plugins((content,)), tuple)
    assert isinstance(declared((content,)), tuple)
    assert isinstance(commands((content,)), tuple)
