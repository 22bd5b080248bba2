"""Who answers for a changed file that is no Python module: a rule of the project or a default.

In order: the project's own rules (`ciopt_run_all`, `ciopt_dependencies`, `ciopt_ignore`), the
harmless defaults, data beside or below modules. What nobody claims can change anything, so
everything runs. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pytest_ciopt.core.globs import first_match
from pytest_ciopt.core.naming import ancestors, folder_of
from pytest_ciopt.settings import Rules

LEFT_BEHIND = (
    *(".coverage", ".coverage.*", "coverage.xml", "htmlcov/**", "ciopt-plan.json", "*.swp", "*~"),
)
"""What earlier runs, commands and editors leave."""

HARMLESS = (
    # Prose, pictures and styles of the documentation.
    *(
        f"{folder}/**/*.{suffix}"
        for folder in ("docs", "doc")
        for suffix in (
            *("md", "rst", "txt", "adoc", "png", "jpg", "jpeg", "gif", "svg", "webp", "ico"),
            *("css", "drawio", "puml", "mmd", "bib", "po", "pot", "pdf"),
        )
    ),
    # Texts about the project, licences.
    *(
        f"{name}{suffix}"
        for name in (
            *("README", "CHANGELOG", "CHANGES", "HISTORY", "NEWS", "CONTRIBUTING", "SECURITY"),
            *("CODE_OF_CONDUCT", "AUTHORS", "CONTRIBUTORS", "MAINTAINERS", "LICENSE", "LICENCE"),
            *("COPYING", "NOTICE"),
        )
        for suffix in (".md", ".rst", ".txt", "")
    ),
    "CITATION.cff",
    # Editors, linters, and services that never run the tests.
    *(".editorconfig", ".vscode/**", ".idea/**", "*.code-workspace"),
    *(".pre-commit-config.yaml", ".flake8", ".pylintrc", "ruff.toml", ".ruff.toml", "mypy.ini"),
    *(".mypy.ini", ".isort.cfg", ".yamllint*", ".markdownlint*", ".codespellrc", ".prettierrc*"),
    *(".readthedocs.y*ml", "codecov.yml", ".codecov.yml", ".coveragerc", "CODEOWNERS"),
    *(".gitignore", ".git-blame-ignore-revs", ".mailmap", ".github/ISSUE_TEMPLATE/**"),
    *(".github/PULL_REQUEST_TEMPLATE*", ".github/FUNDING.yml", ".github/dependabot.yml"),
    *LEFT_BEHIND,
    # Never loaded at run time.
    *("*.pyi", "py.typed"),
)
"""Files that select nothing, unless a module names them in a string or something collects them, or
they are data (see `data_folder`). `docs/reference/options.md` lists them."""

COMPILED = tuple(
    f"*.{suffix}"
    for suffix in (
        *("pyx", "pxd", "pxi", "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "rs", "go", "f", "f90"),
        *("cu", "s", "asm", "swg", "i", "so", "pyd", "dll", "dylib", "a", "cmake", "build"),
    )
)
"""Sources and products of extension modules: what they are built into is not known."""


class Claim(NamedTuple):
    """What a changed file selects."""

    why: str
    everything: bool = False
    targets: tuple[str, ...] = ()
    """Globs or module names given by the project."""
    folder: str | None = None
    """Every module at or below this folder."""
    by_name: bool = False
    """Modules that name the file in a string, too."""
    known_name: bool = False
    """Whether it has a name that mostly means nothing to a test."""


def ruled(path: str, rules: Rules) -> Claim | None:
    """The claim that the project's configuration makes; it goes before everything else."""
    pattern = first_match(path, rules.run_all)
    if pattern is not None:
        return Claim(f"ciopt_run_all {pattern}", everything=True)
    named = [rule for rule in rules.dependencies if first_match(path, (rule[0],))]
    if named:
        targets = tuple(target for rule in named for target in rule[1])
        return Claim(f"ciopt_dependencies {named[0][0]}", targets=targets)
    pattern = first_match(path, rules.ignore)
    return Claim(f"ciopt_ignore {pattern}") if pattern is not None else None


def unruled(path: str, holds_modules: Callable[[str], bool]) -> Claim:
    """The default claim on a file that is no Python module and no configuration.

    `holds_modules` says whether Python modules lie in a folder itself.
    """
    pattern = first_match(path, HARMLESS)
    if pattern is not None:
        folder = data_folder(path, holds_modules)
        if folder is None or "/" in pattern or pattern in LEFT_BEHIND:
            return Claim("harmless by default", by_name=True)
        return Claim(f"data of {folder}/", folder=folder, by_name=True, known_name=True)
    if first_match(path, COMPILED):
        return Claim("what this is built into is not known", everything=True)
    for folder in ancestors(folder_of(path)):
        if folder and holds_modules(folder):
            return Claim(f"data of {folder}/", folder=folder, by_name=True)
    return Claim(
        "nobody claims this file (ciopt_ignore or ciopt_dependencies can)", everything=True
    )


def data_folder(path: str, holds_modules: Callable[[str], bool]) -> str | None:
    """The folder of modules that a file lies below, in a folder without any: `tests/` for
    `tests/cases/README.md`. There a well-known name says little; None elsewhere.
    """
    folder = folder_of(path)
    if holds_modules(folder):
        return None
    return next((one for one in ancestors(folder) if one and holds_modules(one)), None)


def target_files(
    target: str, files: Sequence[str], names: Mapping[str, Sequence[str]]
) -> Sequence[str]:
    """Python files that a target of a `ciopt_dependencies` rule means: a module or a glob.

    `names` maps dotted module names to files.
    """
    if target in names:
        return names[target]
    return [path for path in files if first_match(path, (target,))]
