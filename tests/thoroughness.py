"""How many examples Hypothesis tries: all of them once, fewer where the suite runs again.

CI runs the suite with several interpreters. What the first of them has tried at length, the others
only sample: `--hypothesis-profile=again`.
"""

from hypothesis import settings

_USUAL = 100
"""Examples of a test that says nothing."""
settings.register_profile("again", max_examples=20)


def examples(number: int) -> int:
    """How many a test tries that wants another number than the usual one."""
    return max(1, number * settings().max_examples // _USUAL)
