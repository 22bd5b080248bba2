"""A search goes on behind data that names a module, with whoever may read that."""

from collections.abc import Mapping

from loading import indexed, laid_out
from pytest_ciopt.core.graph.data_names import DataNames
from pytest_ciopt.core.graph.dependents import search
from pytest_ciopt.core.graph.reached import Reached
from pytest_ciopt.usecases.effects import Effect
from pytest_ciopt.usecases.leading import Leads

SOURCES = {
    "shop/__init__.py": "",
    "shop/pen.py": "",
    "shop/goods/__init__.py": "",
    "shop/goods/ink.py": "",
    "reader.py": "",
    "user.py": "import reader",
    "second.py": "",
}
NOBODY = Effect("")


def found(seed: str, data: tuple[DataNames, ...], effects: Mapping[str, Effect]) -> Reached:
    layout = laid_out(SOURCES, data=data)
    leads = Leads(search, indexed(SOURCES), layout, lambda path: effects.get(path, NOBODY))
    return leads.search({seed: "changed"})


READ = {"a.yaml": Effect("", seeds={"reader.py": "data"})}


def test_whoever_may_read_it_is_reached() -> None:
    data = (DataNames("a.yaml", ("shop.pen.Pen",)),)
    result = found("shop/pen.py", data, READ)
    assert result.files.keys() == {"shop/pen.py", "reader.py", "user.py"}
    assert result.files["reader.py"].how == (
        "may read a.yaml, which names shop.pen.Pen (shop/pen.py)"
    )
    assert result.files["user.py"].via == "reader.py"


def test_a_package_that_is_named_leads_to_all_in_it() -> None:
    data = (DataNames("a.yaml", ("shop.goods",)),)
    assert "user.py" in found("shop/goods/ink.py", data, READ).files
    assert "user.py" not in found("shop/pen.py", data, READ).files


def test_what_lies_above_a_module_is_loaded_with_it() -> None:
    data = (DataNames("a.yaml", ("shop.pen",)),)
    assert "user.py" in found("shop/__init__.py", data, READ).files


def test_data_may_lead_to_data() -> None:
    data = (DataNames("a.yaml", ("shop.pen",)), DataNames("b.yaml", ("second",)))
    effects = {
        "a.yaml": Effect("", seeds={"second.py": ""}),
        "b.yaml": Effect("", seeds={"user.py": ""}),
    }
    assert found("shop/pen.py", data, effects).files.keys() == {
        *("shop/pen.py", "second.py", "user.py")
    }


def test_data_that_nobody_reads_leads_nowhere_and_some_to_every_test() -> None:
    data = (DataNames("a.yaml", ("shop.pen",)),)
    result = found("shop/pen.py", data, {})
    assert result.files.keys() == {"shop/pen.py"}
    assert not result.scopes
    everything = {"a.yaml": Effect("", everything="a rule")}
    assert found("shop/pen.py", data, everything).scopes[""].how == (
        "every test may read a.yaml, which names shop.pen (shop/pen.py)"
    )
