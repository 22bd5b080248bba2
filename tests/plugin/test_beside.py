"""What is recorded and selected beside plugins that run tests in other ways.

`tox -e beside` has them; where one is not installed, its test is skipped.
"""

import sys
from pathlib import Path

import pytest

from conftest import MakeProject
from library import CONFIG, RECORD, WIDE, lib, of_lib, run
from seen import newest


def test_reruns_are_united(project: MakeProject) -> None:
    pytest.importorskip("pytest_rerunfailures")
    made = project(
        CONFIG
        | {
            "test_a.py": """
import lib, pytest
tries = []
@pytest.fixture(scope="module")
def breaks():
    tries.append(1)
    lib.four()
    assert len(tries) > 2
    yield
    lib.five()
def test_a():
    tries.append(1)
    if len(tries) == 1: lib.one()
    else: lib.two()
    assert len(tries) > 1
def test_b(): lib.three()
def test_c(breaks): pass
"""
        }
    )
    run(made, RECORD, "-p", "no:randomly", "-p", "rerunfailures", "--reruns=2")
    seen = newest(made.repository.root)
    assert of_lib(seen, "test_a") == lib("one", "two")
    assert of_lib(seen, "test_b") == lib("three")
    assert of_lib(seen, "test_c") == lib("four", "five")


def test_a_test_that_killed_its_worker_is_rerun(project: MakeProject) -> None:
    """By another worker, when pytest-rerunfailures asks for that, and only then."""
    pytest.importorskip("pytest_rerunfailures")
    test = """
        import os, pytest
        from pathlib import Path

        @pytest.mark.parametrize("number", range(8))
        def test_dies(number):
            if number == 3 and not Path("died").exists():
                Path("died").touch()
                os._exit(1)
        """
    made = project({"pytest.ini": "[pytest]\n", "test_a.py": test})
    flags = ("-n2", "--ciopt-dist", "-p", "no:randomly", "-p", "rerunfailures")
    made.run(*flags).assert_outcomes(passed=7, failed=1)
    Path("died").unlink()
    outcomes = made.run(*flags, "--reruns=2").parseoutcomes()
    assert (outcomes["passed"], outcomes["rerun"]) == (8, 1)
    assert "failed" not in outcomes


def test_asyncio(project: MakeProject) -> None:
    pytest.importorskip("pytest_asyncio")
    made = project(
        CONFIG
        | {
            "pytest.ini": "[pytest]\npythonpath=.\nasyncio_default_fixture_loop_scope=function\n",
            "test_a.py": """
import asyncio, lib, pytest, pytest_asyncio
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wide():
    await asyncio.sleep(0)
    lib.one()
    yield
    lib.two()
@pytest.mark.asyncio(loop_scope="module")
async def test_a(wide): await lib.later()
@pytest.mark.asyncio(loop_scope="module")
async def test_b(wide): pass
@pytest.mark.asyncio
async def test_c(): await asyncio.gather(lib.later(), asyncio.to_thread(lib.five))
""",
        }
    )
    run(made, RECORD, "-p", "asyncio")
    seen = newest(made.repository.root)
    assert of_lib(seen, "test_a") == lib("one", "two", "later")
    assert of_lib(seen, "test_b") == lib("one", "two")
    assert of_lib(seen, "test_c") == lib("later", "five")


def test_any_order(project: MakeProject) -> None:
    pytest.importorskip("pytest_randomly")
    made = project(CONFIG | {"test_a.py": WIDE.format(scope="module")})
    found = []
    for seed in ("1", "2", "3"):
        run(made, RECORD, "-p", "randomly", f"--randomly-seed={seed}")
        found.append(newest(made.repository.root).tests)
    assert found[0] == found[1] == found[2]


DJANGO = {
    "pytest.ini": "[pytest]\npythonpath=.\nDJANGO_SETTINGS_MODULE=site_.settings\n",
    "site_/settings.py": """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["shop"]
MIDDLEWARE = ["shop.middleware.Stamp"]
ROOT_URLCONF = "site_.urls"
TAX = 2
""",
    "site_/urls.py": """
from django.urls import include, path
urlpatterns = [path("shop/", include("shop.urls"))]
handler404 = "shop.views.missing"
""",
    "shop/__init__.py": "",
    "shop/apps.py": """
from django.apps import AppConfig
class ShopConfig(AppConfig):
    name = "shop"
    def ready(self):
        import shop.late
""",
    "shop/late.py": """
from django.core.checks import Warning, register
@register()
def taxes(app_configs, **_): return [Warning("taxes", id="shop.W1")]
""",
    "shop/consts.py": "MAKE = 'make'\nTITLE = 'shop'\n",
    "shop/middleware.py": """
class Stamp:
    def __init__(self, get): self.get = get
    def __call__(self, request):
        response = self.get(request)
        response["X-Shop"] = "1"
        return response
""",
    "shop/views.py": """
from django.conf import settings
from django.http import HttpResponse
def made(request): return HttpResponse("made")
def price(request): return HttpResponse(str(settings.TAX * 3))
def missing(request, exception): return HttpResponse("none here", status=404)
""",
    "shop/urls.py": """
from django.urls import path
from shop import views
from shop.consts import MAKE
urlpatterns = [path(MAKE + "/", views.made), path("price/", views.price)]
""",
    "shop/management/commands/total.py": """
from django.core.management.base import BaseCommand
class Command(BaseCommand):
    help = "Adds."
    def handle(self, **_): self.stdout.write("10")
""",
    "tests/test_client.py": """
from io import StringIO
from django.core import checks
from django.core.management import call_command, load_command_class
def test_made(client): assert client.get("/shop/make/").content == b"made"
def test_price(client): assert client.get("/shop/price/").content == b"6"
def test_missing(client): assert client.get("/none/").content == b"none here"
def test_stamp(client): assert client.get("/none/")["X-Shop"] == "1"
def test_check(): assert "shop.W1" in [one.id for one in checks.run_checks()]
def test_help(): assert load_command_class("shop", "total").help == "Adds."
def test_total():
    out = StringIO()
    call_command("total", stdout=out)
    assert out.getvalue() == "10\\n"
def test_one(): assert 1
""",
    "tests/test_direct.py": """
import site_.settings, site_.urls, shop.apps, shop.middleware, shop.urls, shop.views
from shop.consts import TITLE
from shop.management.commands import total
def test_direct(): assert TITLE == "shop"
""",
}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("site_/settings.py", "TAX = 2", "TAX = 3"),
        ("site_/settings.py", '"shop.middleware.Stamp"', ""),
        ("site_/urls.py", "shop/", "shops/"),
        ("site_/urls.py", "shop.views.missing", "django.views.defaults.page_not_found"),
        ("shop/apps.py", "import shop.late", "pass"),
        ("shop/late.py", "shop.W1", "shop.W2"),
        ("shop/consts.py", "'make'", "'mk'"),
        ("shop/middleware.py", '"1"', '"2"'),
        ("shop/urls.py", '"price/"', '"prices/"'),
        ("shop/views.py", "* 3", "* 4"),
        ("shop/management/commands/total.py", "Adds.", "Sums."),
        ("shop/management/commands/total.py", '"10"', '"11"'),
    ],
)
@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "cold"])
def test_what_django_loads_by_itself(
    project: MakeProject, *, recorded: bool, path: str, old: str, new: str
) -> None:
    """Though a test imports all of it, others meet it by a request, or a command."""
    pytest.importorskip("pytest_django")
    made = project(DJANGO)

    def run(*flags: str) -> set[str]:
        plugins = ("-p", "pytest_django.plugin", "-p", "ciopt", "-p", "no:cacheprovider")
        command = (sys.executable, "-m", "pytest", *plugins, "-rA", "--tb=no", *flags)
        lines = made.pytester.run(*command).outlines
        return {line for line in lines if line.startswith(("PASSED", "FAILED", "ERROR"))}

    assert len(run("--ciopt-record=deps" if recorded else "--ciopt-record=off")) == 9
    made.repository.replace(path, old, new)
    failing = {line for line in run("--ciopt-record=off") if not line.startswith("PASSED")}
    assert failing
    selected = run("--ciopt-changed", "--ciopt-record=off")
    assert failing <= selected
    if recorded and path == "shop/views.py":
        assert len(selected) == 1
