"""Definitions are found by name in any importable package, and a package that can't be read says where and why."""

import importlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from definitions.errors import DefinitionError, UnknownName
from definitions.registry import SHIPPED, Registry, key_of, load

RAW = """
from ziggurat.model import Column, EventTime, Kind, LandingDelay, Source

lines = Source(
    name="lines", kind=Kind.EVENTS, version=1, owner="tests",
    columns=(Column("id", "bigint"), Column("at", "timestamp")),
    event_time=EventTime("at"), available=LandingDelay("4h"),
)
"""
VIEW = """
from ziggurat.model import AggregateView, Entity, count
from {package}.lines import lines

{name} = AggregateView(
    "{view}", entity=Entity("person", keys=(("id", "bigint"),)), source=lines, version={version}, owner="tests",
    windows=("7d",), features=(count(named="lines"),),
)
"""
Write = Callable[[Mapping[str, str]], str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write modules of a package of its own; `{package}` in them is its name."""
    name = f"definitions_{abs(hash(tmp_path)):x}"

    def write(modules: Mapping[str, str]) -> str:
        for module, text in modules.items():
            path = tmp_path / name / module
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{package}", name))
        importlib.invalidate_caches()
        return name

    monkeypatch.syspath_prepend(str(tmp_path))
    yield write
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[module]


def view(name: str, *, version: int = 1, variable: str = "") -> str:
    return VIEW.replace("{name}", variable or name).replace("{view}", name).replace("{version}", str(version))


@pytest.fixture(scope="module")
def shipped() -> Registry:
    return load()


def test_every_definition_stands_after_what_it_reads(shipped: Registry) -> None:
    seen: set[str] = set()
    for definition in shipped.definitions:
        assert {key_of(upstream) for upstream in definition.upstream} <= seen, definition.name
        seen.add(key_of(definition))
    assert len(seen) == len(shipped.definitions) > 15


def test_one_view_is_one_file_and_one_name_everywhere(shipped: Registry) -> None:
    """The file, the variable and the name: else a newcomer looks for a view and can't find it."""
    for definition in shipped.definitions:
        module = importlib.import_module(f"{SHIPPED}.{definition.layer}.{definition.name}")
        assert getattr(module, definition.name) is definition
    layers = ("raw", "derived", "aggregate", "cross_entity")
    root = Path(next(iter(importlib.import_module(SHIPPED).__path__)))
    files = {(f.parent.name, f.stem) for layer in layers for f in (root / layer).glob("*.py") if f.stem != "__init__"}
    assert files == {(d.layer, d.name) for d in shipped.definitions}


def test_a_definition_is_found_by_name_by_version_and_by_key(package: Write) -> None:
    both = {"a.py": view("spend"), "b.py": view("spend", version=2)}
    registry = load(package({"__init__.py": "", "lines.py": RAW, **both}))
    assert registry.get("spend").version == 2
    assert registry.get("spend/v1").version == 1
    assert registry.get("aggregate/spend/v1") is registry.get("spend/v1")


def test_an_unknown_name_is_refused_with_the_nearest_names(shipped: Registry) -> None:
    with pytest.raises(UnknownName, match=r"called 'household_spent' in .*Did you mean 'household_spend'\?"):
        shipped.get("household_spent")
    with pytest.raises(UnknownName, match="called 'household_spend/v9' in 'features'"):
        shipped.get("household_spend/v9")
    with pytest.raises(UnknownName, match=r"called 'xyz'.* Known: .*…"):
        shipped.select(["household_spend", "xyz+"])


def names(definitions: tuple) -> list[str]:
    return sorted(definition.name for definition in definitions)


def test_a_view_is_selected_with_all_it_needs(shipped: Registry) -> None:
    needed = ["basket_lines", "household_spend", "products", "promotions", "transactions"]
    assert names(shipped.select(["household_spend"])) == needed
    assert names(shipped.select(["demographics"])) == ["demographics"]
    assert shipped.select([]) == shipped.definitions


def test_a_plus_selects_what_is_built_on_it_and_what_that_needs(shipped: Registry) -> None:
    selected = shipped.select(["household_spend+"])
    assert {"household_vs_cohort", "demographics", "transactions"} <= set(names(selected))
    assert "product_sales" not in names(selected)
    order = [shipped.definitions.index(definition) for definition in selected]
    assert order == sorted(order)
    above = {d.name for d in shipped.definitions if "raw/transactions/v1" in shipped.needed_by(key_of(d))}
    assert above <= set(names(shipped.select(["transactions+"])))


def test_several_selections_are_one(shipped: Registry) -> None:
    both = shipped.select(["household_coupons", "demographics"])
    assert set(names(both)) == {*names(shipped.select(["household_coupons"])), "demographics"}


REFUSED = {
    "empty package": ({"__init__.py": ""}, r"declares no source and no view; `ziggurat init` writes one"),
    "two of one name": (
        {"__init__.py": "", "lines.py": RAW, "a.py": view("spend"), "b.py": view("spend")},
        r"b\.spend: there are two definitions called aggregate/spend/v1; give one of them another name or version",
    ),
    "one name in two layers": (
        {"__init__.py": "", "lines.py": RAW, "a.py": view("lines", variable="spend")},
        "'lines' is declared in two layers, (raw and aggregate|aggregate and raw)",
    ),
    "import in a circle": (
        {"__init__.py": "", "a.py": "from {package}.b import y\nx = 1", "b.py": "from {package}.a import x\ny = 1"},
        "can't be imported: the modules import each other in a circle",
    ),
    "no such module": (
        {"__init__.py": "", "a.py": "import nowhere_to_be_found"},
        r"imported: no module 'nowhere_to_be_found'\. Run from the folder that holds the package, or install it",
    ),
    "no such name": (
        {"__init__.py": "", "lines.py": RAW, "a.py": "from {package}.lines import line"},
        "cannot import name",
    ),
    "syntax error": (
        {"__init__.py": "", "a.py": "x = (1,\ny = 2"},
        r"a\.py, line [12]: this definition does not parse",
    ),
    "any other error": ({"__init__.py": "", "a.py": "\n\nx = 1 / 0"}, r"a\.py, line 3: .*ZeroDivisionError"),
    "impossible definition": (
        {"__init__.py": "", "lines.py": RAW.replace("4h", "soon")},
        "^landing delay: 'soon' is not a duration",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_package_that_can_not_be_read_says_where_and_why(package: Write, case: str) -> None:
    modules, message = REFUSED[case]
    name = package(modules)
    with pytest.raises(DefinitionError, match=message):
        load(name)


def test_a_missing_package_says_so() -> None:
    with pytest.raises(DefinitionError, match="'no_such_package' can't be imported: no module"):
        load("no_such_package")


def test_a_view_brings_its_upstream_from_another_package(package: Write) -> None:
    name = package({"__init__.py": "", "shop/__init__.py": "", "lines.py": RAW, "shop/spend.py": view("spend")})
    assert names(load(f"{name}.shop").definitions) == ["lines", "spend"]


def test_definitions_are_found_inside_a_zip_with_their_lock_file(tmp_path: Path) -> None:
    archive = tmp_path / "definitions.zip"
    root = Path(__file__).parents[2]
    with zipfile.ZipFile(archive, "w") as packed:
        for file in (root / SHIPPED).rglob("*"):
            if file.suffix in (".py", ".json"):
                packed.write(file, file.relative_to(root))
    script = (
        "import features; from definitions.registry import load; from definitions.versions import locked_fingerprints;"
        "registry = load(); print(features.__file__);"
        "print(len(registry.definitions), len(locked_fingerprints(registry)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    path, counted = run.stdout.splitlines()
    assert path.startswith(str(archive))
    assert counted == f"{len(load().definitions)} {len(load().definitions)}"


def test_modules_that_can_not_be_imported_are_problems_of_a_registry_that_keeps_going(package: Write) -> None:
    modules = {"__init__.py": "", "lines.py": RAW, "good.py": view("good"), "broken.py": "x = 1 / 0"}
    name = package({**modules, "sub/__init__.py": "?", "needs.py": "import {package}.broken"})
    registry = load(name, keep_going=True)
    assert sorted(names(registry.definitions)) == ["good", "lines"]
    broken, sub = map(str, registry.problems)  # `needs` fails as `broken` does
    assert ("broken.py, line 1" in broken, "sub/__init__.py, line 1" in sub) == (True, True)
    with pytest.raises(DefinitionError, match=r"broken.py, line 1"):
        load(name)


def test_where_nothing_can_be_imported_the_first_problem_is_raised(package: Write) -> None:
    name = package({"__init__.py": "", "broken.py": "x = 1 / 0"})
    with pytest.raises(DefinitionError, match="ZeroDivisionError"):
        load(name, keep_going=True)


ENTITY = """from ziggurat.model import Entity

rider = Entity("rider", keys=(("id", "bigint"),))
"""
SERVICES = '''"""What models read."""

from {package}.lines import lines
from .entities import rider
from ziggurat.model import FeatureService, features_of

first_v1 = FeatureService("first_v1", features=(features_of(lines, "at", entity=rider),), owner="tests")
wrong_v1 = FeatureService("wrong_v1", features=(features_of(lines, "att", entity=rider),), owner="tests")
wrong_v2 = FeatureService("wrong_v2", features=wrong_v1.features, owner="tests")
other_v1 = FeatureService("other_v1", features=(features_of(lines, "at", entity=rider),), owner="tests", doc=1 / 0)
last_v1 = FeatureService("last_v1", features=first_v1.features, owner="tests")
'''
NEEDS = """from {package}.services import wrong_v2, first_v1
from ziggurat.model import FeatureService

again_v1 = FeatureService("again_v1", features=first_v1.features, owner="tests")
never_v1 = FeatureService("never_v1", features=wrong_v2.features, owner="tests")
"""


def test_definitions_beside_a_broken_one_stand_where_a_registry_keeps_going(package: Write) -> None:
    """In its own file, and in a file that imports it and is loaded before it."""
    modules = {"__init__.py": "", "lines.py": RAW, "entities.py": ENTITY, "services.py": SERVICES, "above.py": NEEDS}
    name = package(modules)
    for _ in range(2):  # the second time its modules are in memory
        registry = load(name, keep_going=True)
        assert {service.name for service in registry.services} == {"first_v1", "last_v1", "again_v1"}
        assert names(registry.definitions) == ["lines"]
        wrong, other = sorted(map(str, registry.problems), key=lambda text: "ZeroDivision" in text)
        assert wrong.startswith("'att' is not a feature of 'lines' v1. Did you mean 'at'? Left out with it: ")
        assert set(wrong.partition("with it: ")[2].rstrip(".").split(", ")) == {"wrong_v2", "never_v1"}
        assert "services.py, line 10: " in other
        assert "ZeroDivisionError" in other
        with pytest.raises(DefinitionError, match="'att' is not a feature"):
            load(name)
