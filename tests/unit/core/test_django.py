import pytest

from pytest_ciopt.core.django import (
    calls_each_time,
    is_looked_up,
    loaded,
    settings_named,
)


@pytest.mark.parametrize(
    "text",
    [
        "DJANGO_SETTINGS_MODULE=site.settings",
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
    assert settings_named("-q", text) == ("site.settings",)


@pytest.mark.parametrize("text", ["DJANGO_SETTINGS_MODULE=", "-q", "--dsx=a", ""])
def test_none_are_named(text: str) -> None:
    assert settings_named(text) == ()


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


def test_routes_call_what_they_are_given_each_time() -> None:
    assert calls_each_time("urlpatterns", ["path", "views"])
    assert not calls_each_time("urlpatterns", ["path", "views", "cache_page"])
    assert not calls_each_time("prices", ["path"])
