"""What Django loads of a project without an import statement. Pure.

A run has settings, named outside of any code; they name the applications, and of these Django
imports modules by convention (`models`, `admin`, `urls`, commands, template tags, migrations) and
looks up names in them. **Source:** Django's reference, "Settings" and "Applications";
pytest-django, "Configuring Django settings".
"""

import re
from collections.abc import Iterable

VARIABLE = "DJANGO_SETTINGS_MODULE"
APPLICATIONS = b"INSTALLED_APPS"
_NAMED = re.compile(rf"(?i:\b{VARIABLE}\b\W{{1,12}}?|--ds[=\s'\",]+)([A-Za-z_][\w.]*)")
"""In either case, for `configparser` lowers names."""
_QUOTED = re.compile(rb"['\"]([A-Za-z_\x80-\xff][\w.\x80-\xff]*)['\"]")
_ROUTES = "urlpatterns"
_KEEPING = re.compile(r"cache|memo|once|lazy", re.IGNORECASE)
_LOOKED_UP = frozenset(
    (
        *(_ROUTES, "app_name", "handler400", "handler403", "handler404", "handler500"),
        *("default_app_config", "Migration", "Command", "register", "application"),
    )
)


def settings_named(*texts: str) -> tuple[str, ...]:
    """Import names of settings in configuration and arguments of pytest, or in the variable."""
    return tuple(sorted({name for text in texts for name in _NAMED.findall(text)}))


def applications(source: bytes) -> set[bytes]:
    """Packages that settings may name: `shop` for `"shop.apps.ShopConfig"`."""
    return {_package(name) for name in _QUOTED.findall(source)} - {b""}


def _package(name: bytes) -> bytes:
    """A class stands in a module of the package."""
    parts = name.split(b".")
    return b".".join(parts[:-2] if parts[-1][:1].isupper() else parts)


def calls_each_time(name: str, mentions: Iterable[str]) -> bool:
    """Whether what is handed to a binding that mentions some names is called for each request, and
    nothing of what it returns is kept."""
    return name == _ROUTES and not any(map(_KEEPING.search, mentions))


def is_looked_up(name: str) -> bool:
    """Whether Django asks modules for what goes by this name."""
    return name in _LOOKED_UP
