"""Whether a CI service runs us. Asked in many runs, so it knows no more of the services."""

from collections.abc import Mapping

SIGNS = (
    *("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "BITBUCKET_BUILD_NUMBER", "CIRCLECI"),
    *("BUILDKITE", "CI", "CONTINUOUS_INTEGRATION", "BUILD_NUMBER", "JENKINS_URL"),
    "TEAMCITY_VERSION",
)
"""Variables that tell it: those of the services that `core.cibase` knows, then what others set;
BUILD_NUMBER is Jenkins, as in pytest."""


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether a CI service runs us, a recognised one or not."""
    return any(is_true(environ.get(sign, "")) for sign in SIGNS)


def is_true(value: str) -> bool:
    """Whether a variable is set, and to no word for no."""
    return value.strip().lower() not in ("", "0", "false", "no", "off")
