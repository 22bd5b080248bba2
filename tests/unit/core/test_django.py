import pytest

from pytest_ciopt.core.django import (
    is_looked_up,
    loaded,
    settings_named,
)


@pytest.mark.parametrize(
    "text",
    [
        "[pytest]\nDJANGO_SETTINGS_MODULE = site.settings\ntestpaths = tests\n",
        '[tool.pytest.ini_options]\nDJANGO_SETTINGS_MODULE = "site.settings"\n',
        "env =\n    D:DJANGO_SETTINGS_MODULE=site.settings\n",
        "{'DJANGO_SETTINGS_MODULE': 'site.settings'}",
        "{'django_settings_module': 'site.settings'}",
        "addopts = -q --ds=site.settings",
        'addopts = ["--ds", "site.settings"]',
        "-q --ds site.settings tests",
    ],
)
def test_settings_are_named(text: str) -> None:
    assert settings_named(None, "-q", text) == ("site.settings",)


def test_the_variable_names_some_as_well() -> None:
    assert settings_named("site.settings", "--ds=site.test") == ("site.settings", "site.test")


@pytest.mark.parametrize("text", ["DJANGO_SETTINGS_MODULE=", "-q", "--dsx=a", ""])
def test_none_are_named(text: str) -> None:
    assert settings_named(None, text) == ()


@pytest.mark.parametrize(
    ("application", "package"),
    [
        ("shop", "shop"),
        ("a.stock", "a.stock"),
        ("shop.apps.ShopConfig", "shop"),
        ("b.c.apps.Config", "b.c"),
    ],
)
def test_applications_are_loaded_by_convention(application: str, package: str) -> None:
    found = {name.decode() for name in loaded(f'INSTALLED_APPS = ["{application}"]'.encode())}
    modules = {f"{package}.models", f"{package}.admin", f"{package}.apps"}
    assert found >= modules | {f"*{package}.migrations", f"*{package}.management.commands"}
    assert f"{package}.views" not in found


def test_a_class_alone_is_no_application() -> None:
    assert loaded(b'INSTALLED_APPS = ["Config"]') == set()


def test_what_django_asks_for() -> None:
    assert is_looked_up("urlpatterns")
    assert not is_looked_up("price")
