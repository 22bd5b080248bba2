"""Tells which tests have to run in one shard, or in one worker."""

import pytest

from pytest_ciopt.hooks.options import TOGETHER

_XDIST_GROUP = "xdist_group"


def group_of(item: pytest.Item) -> str | None:
    """What a test shares with those that have to run in the same shard, None for most."""
    for node, marker in item.iter_markers_with_node(TOGETHER):
        return str(_named(marker) or node.nodeid)
    of_xdist = item.get_closest_marker(_XDIST_GROUP)
    return None if of_xdist is None else f"@{_named(of_xdist) or 'default'}"


def _named(marker: pytest.Mark) -> object:
    return marker.args[0] if marker.args else marker.kwargs.get("name")
