"""The operation that docs/add-an-operation.md adds is found, passes the suite, and aggregates windows."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from definitions import operations as declarations
from definitions.errors import DefinitionError, UnknownName
from definitions.operations.table import window_operation, window_operations
from kernels import operations as kernels_of
from kernels.operations.table import kernels
from kernels.windows.plan import Output
from tests.docs.pages import RUNS, Block, blocks
from tests.support import operation_checks as checks
from tests.support.window_cases import Case, cases

RANGE = {"definitions/operations/range.py": declarations, "kernels/operations/range.py": kernels_of}


def block_of(name: str) -> Block:
    (block,) = [block for block in blocks("python") if block.note == f"{RUNS} as {name} -->"]
    return block


def forget() -> None:
    window_operations.cache_clear()
    kernels.cache_clear()
    for name in ("definitions.operations.range", "kernels.operations.range"):
        sys.modules.pop(name, None)


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's two files, in a folder that both packages also look into."""
    for name, package in RANGE.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(block_of(name).text, "utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(file.parent)])
    forget()
    yield
    monkeypatch.undo()
    forget()


@pytest.mark.usefixtures("added")
def test_the_operation_is_found_and_passes_the_suite_of_all_operations() -> None:
    checks.check_it_is_declared_whole("range")
    assert kernels()["range"].name == "range"

    @settings(max_examples=60, deadline=None)
    @given(checks.slices("range"))
    def its_steps(case: checks.Slices) -> None:
        for step in checks.STEPS:
            step("range", case)

    @settings(max_examples=30, deadline=None)
    @given(cases(("range", "min", "max")))
    def its_windows(case: Case) -> None:
        checks.check_the_window_kernel_answers_as_the_oracle(case)

    for case in checks.edges("range"):
        for step in checks.STEPS:
            step("range", case)
    its_steps()
    its_windows()


@pytest.mark.usefixtures("added")
def test_the_example_of_the_page_aggregates_windows_and_its_word_declares_a_feature() -> None:
    exec(compile(block_of("an example").text, "add-an-operation.md", "exec"), {})
    word = sys.modules["definitions.operations.range"].range_of
    declared = word("unit_price", unit="USD", quantum="0.01")
    (feature,) = declared.expand({"unit_price": "double"}, ("30d",), where="view 'spend' v1")
    assert (feature.name, feature.type, feature.divisor) == ("unit_price_range_30d", "double", 100)


def test_without_its_files_the_operation_is_unknown() -> None:
    with pytest.raises(UnknownName, match="unknown operation 'range'"):
        window_operation("range")
    with pytest.raises(UnknownName, match="Did you mean 'mean'"):
        Output("n", "maen", "v", None, 1)


@pytest.mark.usefixtures("added")
def test_an_operation_that_is_declared_and_not_computed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kernels/operations/range.py").unlink()
    with pytest.raises(DefinitionError, match=r"range; each needs a file in both"):
        kernels()


@pytest.mark.usefixtures("added")
def test_an_operation_that_is_not_named_like_its_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "definitions/operations/range.py").rename(tmp_path / "definitions/operations/width.py")
    with pytest.raises(DefinitionError, match="operation 'range'; give both the same name"):
        window_operations()
    sys.modules.pop("definitions.operations.width")
