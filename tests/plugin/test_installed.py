"""Changed versions of what is installed, where no file of the project imports it by name."""

from pathlib import Path

import pytest

from conftest import MakeProject, Project

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "requirements.txt": "zz-driver==1\njsonschema==1\n",
    "shop/__init__.py": "",
    "shop/plug.py": """
        from importlib.metadata import entry_points

        def driver():
            return next(iter(entry_points(group="shop.drivers"))).load()
        """,
    "tests/test_plug.py": """
        from shop.plug import driver

        def test_plug():
            assert driver().VALUE == 1
        """,
    "tests/test_schema.py": "import jsonschema\n\ndef test_schema():\n    assert jsonschema\n",
    "tests/test_plain.py": "def test_plain():\n    pass\n",
}
BY_SETTINGS = FILES | {
    "settings.ini": "driver = zz_driver\n",
    "shop/plug.py": """
        from importlib import import_module
        from pathlib import Path

        def driver():
            return import_module(Path("settings.ini").read_text().split()[-1])
        """,
}
"""Nothing in Python says which module it is."""
PLUG, SCHEMA, PLAIN = (f"tests/test_{n}.py::test_{n}" for n in ("plug", "schema", "plain"))


@pytest.fixture
def driver(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution in the interpreter, with a module and no entry points yet."""
    site = pytester.path / "site-packages"
    metadata = site / "zz_driver-1.dist-info"
    metadata.mkdir(parents=True)
    (site / "zz_driver.py").write_text("VALUE = 1\n")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: zz-driver\nVersion: 1\n\n")
    (metadata / "RECORD").write_text("zz_driver.py,,\nzz_driver-1.dist-info/RECORD,,\n")
    monkeypatch.syspath_prepend(site)
    return metadata


def selected(made: Project) -> set[str]:
    return set(made.select().selected)


def test_a_plugin_of_the_project_concerns_who_imports_the_project(
    project: MakeProject, driver: Path
) -> None:
    (driver / "entry_points.txt").write_text("[shop.drivers]\nd = zz_driver\n")
    made = project(FILES)
    made.repository.write({"requirements.txt": "zz-driver==2\njsonschema==1\n"})
    assert selected(made) == {PLUG}


def test_what_nobody_imports_may_be_run_or_loaded_by_anybody(
    project: MakeProject, driver: Path
) -> None:
    made = project(BY_SETTINGS)
    made.repository.write({"requirements.txt": "zz-driver==2\njsonschema==1\n"})
    found = made.select()
    assert set(found.selected) == {PLUG, SCHEMA, PLAIN}
    assert found.everything == "global: requirements.txt: no file imports zz-driver"


def test_beside_one_that_somebody_imports(project: MakeProject, driver: Path) -> None:
    made = project(BY_SETTINGS)
    made.repository.write({"requirements.txt": "zz-driver==2\njsonschema==2\n"})
    assert set(made.select().selected) == {PLUG, SCHEMA, PLAIN}
    made.repository.write({"requirements.txt": "zz-driver==1\njsonschema==2\n"})
    assert selected(made) == {SCHEMA}


def test_two_that_one_distribution_needs(project: MakeProject, driver: Path) -> None:
    """The nearest gives the reason; it is no reason to take the other for one that nobody needs."""
    other = driver.with_name("zz_other-1.dist-info")
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: zz-other\nVersion: 1\n\n")
    (other / "RECORD").write_text("zz_other.py,,\n")
    user = driver.with_name("zz_user-1.dist-info")
    user.mkdir()
    needs = "Requires-Dist: zz-driver\nRequires-Dist: zz-other\n"
    (user / "METADATA").write_text(f"Metadata-Version: 2.1\nName: zz-user\nVersion: 1\n{needs}\n")
    (user / "RECORD").write_text("zz_user.py,,\n")
    (driver.parent / "zz_user.py").write_text("")
    made = project(
        {
            **FILES,
            "requirements.txt": "zz-driver==1\nzz-other==1\n",
            "tests/test_schema.py": "import zz_user\n\ndef test_schema():\n    pass\n",
        }
    )
    made.repository.write({"requirements.txt": "zz-driver==2\nzz-other==2\n"})
    assert selected(made) == {SCHEMA}
