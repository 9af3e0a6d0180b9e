"""Files, modules and names of the code that a page names exist."""

import ast
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from lakehouse.session.environment import PACKAGES
from tests.docs.pages import PAGES, PROJECT_ROOT, blocks, prose_of, text_of

FOLDERS = "|".join([*PACKAGES, "tests", "benchmarks", "docs", "notebooks"])
# The files that add-a-feature.md and add-an-operation.md ask the reader to write, and the module in one of them.
FROM_THE_READER = {
    "features/aggregate/household_weekends.py",
    "definitions/operations/range.py",
    "kernels/operations/range.py",
    "definitions.operations.range.range_of",
}
NAMED = [*PAGES, PROJECT_ROOT / "benchmarks" / "where_the_time_goes.md", PROJECT_ROOT / "notebooks" / "README.md"]
MOVED = re.compile(r"### Moved and renamed\n.*?(?=\n### )", re.DOTALL)


def code_in(text: str) -> set[str]:
    """What stands between backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


def present_prose(page: Path) -> str:
    """The page without what the changelog lists as moved: that names the old places, too."""
    return MOVED.sub("", prose_of(page))


def exists(name: str) -> bool:
    """A module or a package, or what one of them has: a class, a function, a class's field or method."""
    module, attributes = name, list[str]()
    while module and not is_module(module):
        module, _, attribute = module.rpartition(".")
        attributes.insert(0, attribute)
    thing = import_module(module) if module else None
    for attribute in attributes:
        thing = getattr(thing, attribute, None)
    return thing is not None


def is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


by_page = pytest.mark.parametrize("page", NAMED, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))


@by_page
def test_every_file_of_the_code_that_a_page_names_exists(page: Path) -> None:
    paths = {code for code in code_in(present_prose(page)) if re.fullmatch(rf"(?:{FOLDERS})/[\w/]+\.\w+", code)}
    assert {path for path in paths - FROM_THE_READER if not (PROJECT_ROOT / path).is_file()} == set()


@by_page
def test_every_module_and_name_that_a_page_names_exists(page: Path) -> None:
    text = present_prose(page)
    names = {code for code in code_in(text) if re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.(?!md|yaml|py)\w+)+", code)}
    names |= set(re.findall(rf"python -m ((?:{FOLDERS})[\w.]*\w)", text))
    assert {name for name in names if not exists(name)} == set()


def test_every_import_of_ours_in_an_example_exists() -> None:
    nodes = [node for block in blocks("python") for node in ast.walk(ast.parse(block.text))]
    imported = {f"{node.module}.{n.name}" for node in nodes if isinstance(node, ast.ImportFrom) for n in node.names}
    ours = {name for name in imported if name.partition(".")[0] in PACKAGES}
    assert len(ours) > 10
    assert {name for name in ours - FROM_THE_READER if not exists(name)} == set()


def test_every_new_place_that_the_changelog_names_exists() -> None:
    moved = MOVED.search(text_of("CHANGELOG.md"))
    assert moved is not None
    names = {
        code for code in code_in(moved[0]) if re.fullmatch(r"(?:definitions|ziggurat|jobs|online_store)\.[\w.]+", code)
    }
    assert len(names) > 10
    assert {name for name in names if not exists(name)} == set()
