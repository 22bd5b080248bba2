import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pytest_ciopt.adapters.distributions import DependencyReach, reach

Install = Callable[..., Path]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def install(site: Path) -> Install:
    """Write the metadata of a distribution; its modules are only names in RECORD."""

    def written(
        name: str,
        *requires: str,
        files: Sequence[str] | None = None,
        record: bool = True,
        entry_points: str = "",
        top_level: str = "",
        editable: Path | None = None,
    ) -> Path:
        folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        (folder / "METADATA").write_text("\n".join([*lines, "", "Requires-Dist: no-header"]))
        if record:
            listed = [f"{name.replace('-', '_')}/__init__.py"] if files is None else files
            rows = [*listed, f"{folder.name}/METADATA", f"{folder.name}/RECORD"]
            (folder / "RECORD").write_text("".join(f"{row},,\n" for row in rows))
        if entry_points:
            (folder / "entry_points.txt").write_text(entry_points)
        if top_level:
            (folder / "top_level.txt").write_text(top_level)
        if editable:
            origin = {"url": editable.as_uri(), "dir_info": {"editable": True}}
            (folder / "direct_url.json").write_text(json.dumps(origin))
        return folder

    return written


def test_nothing_changed_reaches_nothing() -> None:
    assert reach((), ()) == DependencyReach(None, {})


def test_who_loads_entry_points_is_reached(install: Install) -> None:
    points = "[console_scripts]\nx = y\n[gui_scripts]\nx = y\n[zz_app.things]\na = b\n[zz.q]\n"
    install("zz-lib", entry_points=points)
    assert set(reach(["zz-lib"], ()).modules) == {"zz", "zz_app", "zz_lib"}


def test_all_that_need_a_changed_one_are_reached(install: Install) -> None:
    install("zz-werkzeug")
    install("zz-flask", "zz_Werkzeug>=3")
    install("zz-login", "Zz.Flask")
    install("zz-admin", "zz-login")
    install("zz-other", "zz-click")
    found = reach(["ZZ_Werkzeug"], ())
    assert found == DependencyReach(
        None,
        {
            "zz_admin": "zz-werkzeug, which zz-admin needs through zz-login",
            "zz_flask": "zz-werkzeug, which zz-flask needs",
            "zz_login": "zz-werkzeug, which zz-login needs through zz-flask",
            "zz_werkzeug": "zz-werkzeug",
        },
    )
    assert list(found.modules) == sorted(found.modules)


def test_the_nearest_change_gives_the_reason(install: Install) -> None:
    install("zz-a")
    install("zz-b", "zz-a")
    install("zz-c", "zz-a", "zz-b")
    modules = {"zz_a": "zz-a", "zz_b": "zz-b", "zz_c": "zz-a, which zz-c needs"}
    assert reach(["zz-b", "zz-a", "zz-b"], ()) == DependencyReach(None, modules)


def test_needing_each_other_comes_to_an_end(install: Install) -> None:
    install("zz-a", "zz-b")
    install("zz-b", "zz-a")
    assert list(reach(["zz-a"], ()).modules) == ["zz_a", "zz_b"]


@pytest.mark.parametrize(
    ("requirement", "needed"),
    [
        ("zz-lib; python_version > '3.0'", True),
        ("zz-lib; python_version < '3.0'", False),
        ("zz-lib; extra == 'fast'", True),
        ("zz-lib; python_version < '3.0' and extra == 'fast'", False),
        ("zz-lib; sys_platform == 'nowhere' or extra == 'fast'", True),
        ("zz-lib (>=1)", True),
        ("zz-lib [x]>=1", True),
        ("zz-lib @ https://example.org/x.zip", True),
        ("zz-lib >=? nonsense", True),
        ("zz-lib; nonsense == 'x'", True),
        ("zz-library", False),
        ("???", False),
    ],
)
def test_markers_decide_and_doubt_counts_as_need(
    install: Install, requirement: str, needed: bool
) -> None:
    install("zz-lib")
    install("zz-user", requirement)
    assert ("zz_user" in reach(["zz-lib"], ()).modules) is needed


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ("zz-plugin", "zz-plugin is a pytest plugin"),
        ("zz-base", "zz-base is needed by zz-plugin, a pytest plugin"),
        ("zz-deep", "zz-deep is needed by zz-plugin, a pytest plugin"),
        ("pytest", "pytest runs all tests"),
        ("pluggy", "pluggy runs all tests"),
        ("iniconfig", "iniconfig is needed by pytest, which runs all tests"),
        ("zz-gone", "nothing is known of the distribution zz-gone"),
    ],
)
def test_some_distributions_have_a_part_in_every_test(
    install: Install, changed: str, reason: str
) -> None:
    install("zz-deep")
    install("zz-base", "zz-deep")
    install("zz-plugin", "zz-base", entry_points="[console_scripts]\na=b\n[pytest11]\nzz = zz\n")
    install("zz-tool", "zz-base", entry_points="[console_scripts]\npytest11 = zz_tool:main\n")
    assert reach([changed], ()) == DependencyReach(reason, {})


def test_an_entry_point_of_another_group_is_no_plugin(install: Install) -> None:
    install("zz-tool", entry_points="[console_scripts]\npytest11 = zz_tool:main\n")
    assert reach(["zz-tool"], ()) == DependencyReach(None, {"zz_tool": "zz-tool"})


def test_our_own_plugin_counts_when_it_changed_and_not_as_a_dependent(install: Install) -> None:
    install("zz-lib")
    install("pytest_ciopt", "zz-lib", entry_points="[pytest11]\nciopt = pytest_ciopt.plugin\n")
    assert reach(["zz-lib"], ()) == DependencyReach(None, {"zz_lib": "zz-lib"})
    assert reach(["pytest-ciopt"], ()).everything == "pytest-ciopt is a pytest plugin"


def test_what_python_runs_at_its_start_has_a_part_in_every_test(install: Install) -> None:
    install("zz-lib")
    install("zz-start", "zz-lib", files=["zz_start.py", "zz_start.pth"])
    install("zz-space", files=["zz_space/a/__init__.py", "zz_space-nspkg.pth", "zz_space/x.pth"])
    everything = "zz-lib is needed by zz-start, which runs whenever Python starts"
    assert reach(["zz-lib"], ()).everything == everything
    assert reach(["zz-start"], ()).everything == "zz-start runs whenever Python starts"
    assert reach(["zz-space"], ()) == DependencyReach(None, {"zz_space.a": "zz-space"})


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["zz.py"], ["zz"]),
        (["zz/__init__.py", "zz/a.py", "zz/b/__init__.py"], ["zz"]),
        (["zz/__init__.py", "_zz.py", "zz_tests/__init__.py"], ["_zz", "zz", "zz_tests"]),
        (["zz/cloud/storage/__init__.py", "zz/cloud/storage/x.py"], ["zz.cloud.storage"]),
        (["zz/cloud/a/__init__.py", "zz/cloud/b/__init__.py"], ["zz.cloud.a", "zz.cloud.b"]),
        (["zz/one.py", "zz/two/__init__.py"], ["zz.one", "zz.two"]),
        (["zz/data/x.json", "zz/one.py"], ["zz.one"]),
        (["zz\\sub\\__init__.py"], ["zz.sub"]),
        (["zz.py", "__pycache__/other.pyc", "../../bin/tool.py", "/abs/x.py"], ["zz"]),
        (["zz.py", "zz-stubs/__init__.pyi", "not-a-name/x.py"], ["zz"]),
        (["zz.abi3.so", "zz.pyi"], ["zz"]),
        (['"zz/__init__.py"', "zz/a.py"], ["zz"]),
    ],
)
def test_import_names_come_from_the_recorded_files(
    install: Install, files: list[str], names: list[str]
) -> None:
    install("zz-lib", files=files)
    assert reach(["zz-lib"], ()) == DependencyReach(None, dict.fromkeys(names, "zz-lib"))


def test_declared_names_fill_in_what_the_record_does_not_hold(install: Install) -> None:
    install("zz-a", record=False, top_level="zz_a\n_zz_a\n")
    install("zz-b", files=["zz_space/b/__init__.py"], top_level="zz_space\nzz_extra\n")
    found = reach(["zz-a", "zz-b"], ()).modules
    assert list(found) == ["_zz_a", "zz_a", "zz_extra", "zz_space.b"]


@pytest.mark.parametrize("files", [[], ["zz_lib-stubs/__init__.pyi"], ["zz_lib/data.json"]])
def test_a_changed_one_without_import_names_is_unknown(install: Install, files: list[str]) -> None:
    install("zz-lib", files=files)
    assert reach(["zz-lib"], ()).everything == "nothing is known of the distribution zz-lib"


def test_a_dependent_without_import_names_only_passes_on(install: Install) -> None:
    install("zz-lib")
    install("zz-bundle", "zz-lib", files=[])
    install("zz-user", "zz-bundle")
    assert list(reach(["zz-lib"], ()).modules) == ["zz_lib", "zz_user"]


def test_a_dependent_whose_files_nobody_recorded_is_unknown(install: Install) -> None:
    install("zz-lib")
    install("zz-user", "zz-lib", record=False)
    assert reach(["zz-lib"], ()).everything == "nothing is known of the distribution zz-user"


def test_the_project_itself_is_not_followed(install: Install) -> None:
    install("zz-lib")
    install("zz-app", "zz-lib", entry_points="[pytest11]\nzz = zz_app\n")
    install("zz-user", "zz-app")
    assert reach(["zz-lib"], {"zz_app"}) == DependencyReach(None, {"zz_lib": "zz-lib"})
    assert reach(["zz-app"], {"zz_app"}).everything == "zz-app is a pytest plugin"
    assert reach(["zz-lib"], ()).everything is not None


def test_a_stray_top_level_package_makes_no_project(install: Install) -> None:
    install("zz-lib")
    install("zz-user", "zz-lib", files=["zz_user/__init__.py", "tests/__init__.py"])
    assert "zz_user" in reach(["zz-lib"], {"tests"}).modules


def test_a_shared_namespace_makes_no_project(install: Install) -> None:
    install("zz-lib")
    install("zz-user", "zz-lib", files=["zz_space/user/__init__.py"])
    install("zz-app", "zz-lib", files=["zz_space/app/__init__.py"])
    found = reach(["zz-lib"], {"zz_space", "zz_space.app"}).modules
    assert list(found) == ["zz_lib", "zz_space.user"]


def test_editable_installs_inside_the_repository_are_the_project(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "a repo"
    (home / ".git").mkdir(parents=True)
    (home / "sub").mkdir()
    install("zz-lib")
    install("zz-app", "zz-lib", files=["_zz_app.pth"], editable=home)
    own = DependencyReach(None, {"zz_lib": "zz-lib"})
    unknown = DependencyReach("nothing is known of the distribution zz-app", {})
    assert reach(["zz-lib"], (), root=home) == own
    assert reach(["zz-lib"], (), root=tmp_path / "elsewhere") == unknown
    monkeypatch.chdir(home / "sub")
    assert reach(["zz-lib"], ()) == own
    monkeypatch.chdir(tmp_path)
    assert reach(["zz-lib"], ()) == unknown


def test_an_editable_install_from_elsewhere_is_known_by_its_declared_names(
    install: Install, tmp_path: Path
) -> None:
    files = ["__editable__.zz_app-1.0.pth", "__editable___zz_app_1_0_finder.py"]
    install("zz-app", files=files, top_level="zz_app\n", editable=tmp_path / "other")
    found = reach(["zz-app"], (), root=tmp_path / "repo")
    assert found == DependencyReach(None, {"zz_app": "zz-app"})


def test_every_copy_on_the_path_counts(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("zz-lib")
    install("zz-user", "zz-lib")
    shadow = tmp_path / "first" / "zz_user-2.0.dist-info"
    shadow.mkdir(parents=True)
    (shadow / "METADATA").write_text("Name: zz-user\n")
    (shadow / "RECORD").write_text("zz_user2/__init__.py,,\n")
    monkeypatch.syspath_prepend(shadow.parent)
    assert list(reach(["zz-lib"], ()).modules) == ["zz_lib", "zz_user", "zz_user2"]


@pytest.mark.parametrize("form", ["folder", "file"])
def test_old_egg_metadata_is_read(install: Install, site: Path, form: str) -> None:
    install("zz-lib")
    egg = site / "zz_egg-1.0.egg-info"
    if form == "file":  # plain distutils: no requirements, no files
        egg.write_text("Metadata-Version: 1.0\nName: zz-egg\n")
        assert reach(["zz-egg"], ()).everything == "nothing is known of the distribution zz-egg"
        return
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: zz-egg\n")
    (egg / "requires.txt").write_text("\n[fast]\nzz-lib>=1\n")
    (egg / "top_level.txt").write_text("zz_egg\n")
    assert list(reach(["zz-lib"], ()).modules) == ["zz_egg", "zz_lib"]


@pytest.mark.parametrize("metadata", [None, b"", b"\xff\xfe", b"\0", b"Name:\n", b"\n\nName: x"])
def test_unreadable_metadata_may_need_anything(
    install: Install, site: Path, metadata: bytes | None
) -> None:
    install("zz-lib")
    broken = site / "zz_broken-1.0.dist-info"
    broken.mkdir()
    if metadata is not None:
        (broken / "METADATA").write_bytes(metadata)
    assert reach(["zz-lib"], ()).everything == f"the metadata in {broken} cannot be read"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("RECORD", b"\xff\xfe\0"),
        ("RECORD", b"a" * 200_000 + b",,\n"),
        ("RECORD", b'"zz_lib/__init__.py'),
        ("RECORD", b""),
        ("entry_points.txt", b"\xff"),
        ("entry_points.txt", b"no section = at all\n[[["),
        ("direct_url.json", b'{"dir_info": {"editable": true}}'),
        ("direct_url.json", b'{"dir_info": {"editable": true}, "url": "file://[/x"}'),
        ("direct_url.json", b'{"dir_info": {"editable": true}, "url": "file:///%00"}'),
        ("direct_url.json", b'{"dir_info": {"editable": true}, "url": 1}'),
        ("direct_url.json", b'{"dir_info": [1]}'),
        ("direct_url.json", b"[" * 100_000),
        ("direct_url.json", b"null"),
        ("top_level.txt", b"\xff"),
    ],
)
def test_broken_files_never_raise_and_never_lose_the_distribution(
    install: Install, file: str, content: bytes
) -> None:
    install("zz-base")
    (install("zz-lib", "zz-base") / file).write_bytes(content)
    found = reach(["zz-base"], ())
    unknown = "nothing is known of the distribution zz-lib"
    assert "zz_lib" in found.modules or found.everything == unknown


@pytest.mark.parametrize("name", ["", "\0", "/x", "a b", "é"])
def test_a_name_that_cannot_be_is_unknown(name: str) -> None:
    assert reach([name], ()).everything == f"nothing is known of the distribution {name}"
