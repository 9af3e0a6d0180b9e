"""What the docs call planned or not built yet is compared with the code: a list that is no longer true fails."""

import inspect
import re
from collections.abc import Callable

import pytest

from definitions import model
from definitions.errors import DefinitionError
from tests.docs.pages import PROJECT_ROOT, text_of
from ziggurat.cli.main import verbs

NOT_BUILT = re.compile(r"\*\*Not built yet:\*\* ([^.,]+)")
PLANNED = re.compile(r"^\*\*([^*]+)\*\*[^\n]*(?:\n[^\n]+)*?\*\(planned\)\*", re.MULTILINE)


def has_no_file(*names: str) -> bool:
    return not any((PROJECT_ROOT / name).exists() for name in names)


def has_no_command(name: str) -> bool:
    return name not in verbs.commands


def refuses_groups_with_a_clock() -> bool:
    clocked = model.Source(
        name="ages",
        kind=model.Kind.STATE,
        version=1,
        owner="tests",
        columns=(model.column("id", "bigint"), model.column("age", "string"), model.column("at", "timestamp")),
        identity=("id",),
        event_time=model.EventTime("at"),
        available=model.LandingDelay("0d"),
        history_start="2020-01-01",
    )
    try:
        model.Group(clocked, by=("age",))
    except DefinitionError:
        return True
    return False


# What semantics.md says, up to the first comma or full stop: true while it is not built.
SEMANTICS: dict[str, Callable[[], bool]] = {
    "release from quarantine": lambda: has_no_command("quarantine"),
    "erasure": lambda: has_no_command("erase"),
    "today a snapshot has one cut": lambda: has_no_file("jobs/build/repair.py"),
    "counting windows that reach before `history_start`": lambda: (
        "history_start" not in text_of("reports/training_set.py")
    ),
    "declared defaults other than 0": lambda: "default" not in inspect.signature(model.sum_of).parameters,
    "membership from a source with a clock": refuses_groups_with_a_clock,
    "the list of repairs that are still due": lambda: has_no_file("jobs/build/repair.py"),
    "the gateway": lambda: has_no_file("serving"),
}
GLOSSARY: dict[str, Callable[[], bool]] = {
    "Tile": lambda: has_no_file("kernels/tiles", "kernels/tiles.py"),
    "Restatement": lambda: has_no_file("jobs/build/repair.py"),
    "On-demand feature": lambda: not hasattr(model, "OnDemandView"),
    "Drift": lambda: has_no_file("quality/drift.py", "quality/drift"),
    "Repair": lambda: has_no_command("repair"),
    "Erase": lambda: has_no_command("erase"),
}


@pytest.mark.parametrize(
    ("page", "marks", "probes"),
    [("docs/semantics.md", NOT_BUILT, SEMANTICS), ("GLOSSARY.md", PLANNED, GLOSSARY)],
    ids=["semantics", "glossary"],
)
def test_what_a_page_calls_not_built_is_what_is_not_built(
    page: str, marks: re.Pattern[str], probes: dict[str, Callable[[], bool]]
) -> None:
    assert set(marks.findall(text_of(page))) == set(probes)
    assert not [name for name, is_missing in probes.items() if not is_missing()]


def test_every_environment_that_the_configuration_names_has_a_file() -> None:
    named = re.search(r"environment's file \(([^)]+)\)", text_of("conf/base.yaml").replace("\n# ", " "))
    assert named
    files = {path.stem for path in (PROJECT_ROOT / "conf").glob("*.yaml")} - {"base"}
    assert set(re.findall(r"\w+", named[1].partition(", or")[0])) == files


def test_a_claim_of_speed_names_the_fastest_form_that_was_measured() -> None:
    """A factor over DuckDB is given with the packed form of its question, which is faster."""
    for page in ("README.md", "CHANGELOG.md", "docs/fast-joins.md", "docs/training-sets.md"):
        for paragraph in re.split(r"\n(?=\n|- )", text_of(page)):
            if "DuckDB" in paragraph and re.search(r"\btimes|\bhalf|×|faster", paragraph):
                assert "packed" in paragraph, f"{page}: {paragraph}"
