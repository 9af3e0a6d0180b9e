"""All that a user can meet has its line in the docs: verbs, options, settings, errors, views, words."""

import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module

import click
import pytest
import yaml

from definitions import errors
from definitions.operations.table import group_operations, window_operations
from definitions.registry import key_of, load
from lakehouse.session.environment import PACKAGES
from tests.docs.pages import PROJECT_ROOT, everything, text_of
from ziggurat.cli.main import verbs

# The glossary's words, as the rules of style list them.
WORDS = """
entity, join key, source, fact, identity, version, retraction, tombstone, view, look-up, feature, feature
service, spine, training set, batch frame, window, tile, quantum, snapshot, cut, restatement, release, layout,
landing delay, event_time, available_time, known_at, as_of, label_time, horizon, max_age, freshness class,
online store, on-demand feature, drift, leakage, certificate, quarantine, ingest, build, backfill, publish,
export, repair, erase
"""


def commands(group: click.Group, above: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{above} {name}")
        else:
            yield f"{above} {name}", command


COMMANDS = dict(commands(verbs, "ziggurat"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_verb_stands_in_the_page_about_running(command: str) -> None:
    assert f"`{command}" in text_of("docs/running.md")


def test_every_option_is_mentioned() -> None:
    page = everything()
    options = {
        option
        for command in [verbs, *COMMANDS.values()]
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    assert len(options) > 10
    assert not [option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", page)]


def leaves(tree: dict, above: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict) and value and above != "sources.":
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def test_every_setting_has_its_line_and_its_default() -> None:
    base = yaml.safe_load(text_of("conf/base.yaml"))
    page = text_of("docs/configuration.md")
    assert not [key for key in leaves(base) if f"`{key}`" not in page]
    for key, value in base["build"].items():
        assert f"| `build.{key}` | `{value}` |" in page
    for key in ("driver_memory", "shuffle_partitions"):
        assert f"| `spark.{key}` | `{base['spark'][key]}` |" in page


def test_every_environment_has_its_line() -> None:
    page = text_of("docs/configuration.md")
    assert not [file.name for file in PROJECT_ROOT.glob("conf/*.yaml") if f"(../conf/{file.name})" not in page]


def test_every_variable_that_the_code_reads_has_its_line() -> None:
    page = text_of("docs/configuration.md")
    code = "\n".join(file.read_text("utf-8") for package in PACKAGES for file in (PROJECT_ROOT / package).rglob("*.py"))
    read = set(re.findall(r"\bZIGGURAT_[A-Z]+(?:_[A-Z]+)*\b", code)) - {"ZIGGURAT_CRASH_AT"}  # a hook of the tests
    assert read
    assert not [name for name in read if name not in page]


def every_error() -> list[type[errors.ZigguratError]]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(PROJECT_ROOT / package)], f"{package}."):
            if module.name.rsplit(".", 1)[-1] != "__main__" and ".starter" not in module.name:
                importlib.import_module(module.name)
    classes_so_far, todo = [], [errors.ZigguratError]
    while todo:
        classes_so_far.append(todo.pop())
        todo += classes_so_far[-1].__subclasses__()
    return [error for error in classes_so_far if error.__module__.split(".")[0] in PACKAGES]


def test_every_error_has_its_paragraph_and_stands_in_the_tree_with_its_code() -> None:
    page, tree = text_of("docs/errors.md"), errors.__doc__ or ""
    classes = every_error()
    assert len(classes) > 20
    for error in classes:
        name, code = error.__name__, error.exit_code
        assert f"### {name} ({code})\n" in page
        assert re.search(rf"^\| {code} \| \[{name}\]", page, re.MULTILINE), f"{name} is not in the table"
        assert re.search(rf"{name} +{code}\b", tree), f"{name} is not in the tree of definitions/errors.py"
    paragraphs = set(re.findall(r"^### (\w+) \(", page, re.MULTILINE))
    assert paragraphs == {error.__name__ for error in classes}


def test_every_operation_has_its_word_in_the_page_about_adding_features() -> None:
    page = text_of("docs/add-a-feature.md")
    declared = [*window_operations().values(), *group_operations().values()]
    assert len(declared) > 10
    assert not [operation.word for operation in declared if f"`{operation.word}`" not in page]


def test_every_shipped_table_is_in_the_catalogue() -> None:
    page = text_of("docs/features.md")
    assert not [key_of(d) for d in load().definitions if f"### {key_of(d)}\n" not in page]


def test_the_generated_pages_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    is_stale = import_module("docs.__main__").main(["--check"])
    assert not is_stale, capsys.readouterr().err


@pytest.mark.parametrize("word", [" ".join(word.split()) for word in WORDS.split(",")])
def test_every_word_has_one_entry_that_says_what_it_is_not(word: str) -> None:
    entries = re.findall(
        rf"^\*\*{word}\*\*.*?(?=^\*\*|^## |\Z)", text_of("GLOSSARY.md"), re.MULTILINE | re.DOTALL | re.I
    )
    assert len(entries) == 1
    assert "*Not*" in entries[0]


def test_every_rule_that_code_or_docs_cite_is_written() -> None:
    rules = [int(n) for n in re.findall(r"^### S(\d+) ", text_of("docs/semantics.md"), re.MULTILINE)]
    assert rules == list(range(1, 38))
    code = [file for package in [*PACKAGES, "tests", "docs"] for file in (PROJECT_ROOT / package).rglob("*.py")]
    cited = {n for file in code for n in re.findall(r"[(,; ]S(\d{1,2})[),:.;]", file.read_text("utf-8"))}
    cited |= set(re.findall(r"\(S(\d+)\)", everything()))
    assert len(cited) > 15
    assert {int(n) for n in cited} <= set(rules)


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(n) for n in re.findall(r"^- \*\*D(\d+)\*\*", text_of("docs/semantics.md"), re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers


def test_every_record_of_a_decision_has_its_four_parts_and_stands_in_the_list() -> None:
    index = text_of("docs/adr/README.md")
    records = sorted((PROJECT_ROOT / "docs" / "adr").glob("0*.md"))
    for number, record in enumerate(records, start=1):
        text = record.read_text("utf-8")
        assert record.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert [part for part in ("Status", "Context", "Decision", "Consequences") if f"**{part}" not in text] == []
        assert f"({record.name})" in index


def test_every_page_is_listed() -> None:
    index = text_of("docs/README.md")
    assert not [
        page.name
        for page in (PROJECT_ROOT / "docs").glob("*.md")
        if page.name not in index and page.name != "README.md"
    ]


def test_every_make_verb_is_explained() -> None:
    verbs_there = set(re.findall(r"^([a-z-]+):.*##", text_of("Makefile"), re.MULTILINE)) - {"help"}
    assert not [verb for verb in verbs_there if f"`make {verb}`" not in text_of("docs/running.md")]


def test_the_changelog_names_the_version_that_is_built() -> None:
    version = re.search(r'version="([^"]+)"', text_of("setup.py"))
    assert version is not None
    assert f"## [{version[1]}]" in text_of("CHANGELOG.md")
    assert tomllib.loads(text_of("pyproject.toml"))["build-system"]
