"""What Django loads of a project without an import statement. Pure.

A run has settings, named outside of any code; they name the applications, and of these Django
imports modules by convention (`models`, `admin`, commands, template tags, migrations) and looks up
names in them. **Source:** Django's reference, "Settings" and "Applications";
pytest-django, "Configuring Django settings".
"""

import re

VARIABLE = "DJANGO_SETTINGS_MODULE"
APPLICATIONS = b"INSTALLED_APPS"
_NAMED = re.compile(rf"(?i:\b{VARIABLE}\b\W{{1,12}}?|--ds[=\s'\",]+)([A-Za-z_][\w.]*)")
"""In either case, for `configparser` lowers names."""
_QUOTED = re.compile(rb"['\"]([A-Za-z_\x80-\xff][\w.\x80-\xff]*)['\"]")
_MODULES = (
    *(b"apps", b"models", b"admin"),
    *(b"tasks", b"rules", b"jobs", b"translation", b"search_indexes", b"documents"),
    *(b"wagtail_hooks", b"cms_plugins", b"cms_apps", b"cms_menus", b"cms_toolbars"),
)
"""Modules of an application that Django imports by convention, and what applications of others look
for in all of them: Celery, django-rules, Haystack, Wagtail and the like."""
_PACKAGES = (b"management.commands", b"templatetags", b"migrations", b"jobs")
ROUTES = "urlpatterns"
_LOOKED_UP = frozenset(
    (
        *(ROUTES, "app_name", "handler400", "handler403", "handler404", "handler500"),
        *("default_app_config", "Migration", "Command", "register", "application"),
    )
)


def settings_named(variable: str | None, *texts: str) -> tuple[str, ...]:
    """Import names of settings: what the variable says, and what stands in texts that configure
    pytest (its file, arguments)."""
    found = {name for text in texts for name in _NAMED.findall(text)}
    return tuple(sorted(found | {variable} if variable else found))


def loaded(source: bytes) -> set[bytes]:
    """What settings load of the applications that they may name, as names of a scan: modules, and
    with a star packages of which any module may be loaded."""
    packages = {_package(name) for name in _QUOTED.findall(source)} - {b""}
    modules = {b"%s.%s" % (package, name) for package in packages for name in _MODULES}
    return modules | {b"*%s.%s" % (package, name) for package in packages for name in _PACKAGES}


def _package(name: bytes) -> bytes:
    """A class stands in a module of the package."""
    parts = name.split(b".")
    return b".".join(parts[:-2] if parts[-1][:1].isupper() else parts)


def is_looked_up(name: str) -> bool:
    """Whether Django asks modules for what goes by this name."""
    return name in _LOOKED_UP
