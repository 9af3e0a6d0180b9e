"""Links lead somewhere, commands parse, examples load, and no page holds a path of the machine that wrote it."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from definitions.registry import load
from definitions.views import AggregateView
from tests.docs.pages import PAGES, PROJECT_ROOT, RUNS, anchors_of, blocks, commands, everything, prose_of, text_of
from ziggurat.cli.main import verbs
from ziggurat.settings import Settings, resolve

LINK = re.compile(r"\]\(([^)\s]+)\)")
HOSTS = {"docs.aws.amazon.com", "delta-io.github.io", "keepachangelog.com", "semver.org", "pypi.org"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(prose_of(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors_of(target), f"{link}: no such heading"


def test_links_outside_lead_only_to_public_pages() -> None:
    present = set(re.findall(r"https?://([^/\s)>\"']+)", everything()))
    assert present <= HOSTS


def test_no_page_holds_an_absolute_path() -> None:
    absolute = re.compile(r"(?<![\w.>~:/}…])/(?!Volumes/)[a-z]\w*/[\w./-]*")
    present = {(page.name, path) for page in PAGES for path in absolute.findall(page.read_text("utf-8"))}
    assert not present


def test_every_make_verb_that_is_used_exists() -> None:
    there = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    used = {command.split()[1] for command in commands() if re.match(r"make [a-z]", command)}
    assert {"demo", "test"} <= used <= there


ZIGGURAT = [c for c in commands() if c.startswith(("ziggurat ", "run.py ")) or " run.py " in c]


@pytest.mark.parametrize("command", sorted(set(ZIGGURAT)))
def test_every_command_that_is_shown_parses(command: str) -> None:
    """Placeholders in capitals stand for values; a command without its required options is only a name."""
    words = shlex.split(re.split(r"ziggurat |run\.py ", command, maxsplit=1)[1])
    if not words or words[0].startswith("-") or words[0] in ("VERB", "…"):
        return
    shown: click.Command = verbs
    while isinstance(shown, click.Group) and words and not words[0].startswith("-"):
        shown, words = shown.commands[words[0]], words[1:]
    rest = [word.strip("[]") for word in words]
    if rest:
        shown.make_context("shown", [*rest], resilient_parsing=not any(word.startswith("-") for word in rest))


def test_every_view_that_a_command_names_is_declared_or_made_on_the_page() -> None:
    starter = {file.stem for file in (PROJECT_ROOT / "ziggurat" / "starter").rglob("*.py")}
    known = {d.name for d in load().definitions} | starter | {"household_weekends"}
    named = set(re.findall(r"(?:--select|describe) ([a-z_]+)", everything()))
    assert len(named) > 3
    assert named <= known


def test_every_python_example_compiles() -> None:
    examples = list(blocks("python"))
    assert len(examples) > 5
    for example in examples:
        compile(example.text, str(example.page), "exec")


def test_every_yaml_example_is_a_configuration(tmp_path: Path) -> None:
    examples = list(blocks("yaml"))
    assert examples
    for example in examples:
        file = tmp_path / "conf.yaml"
        file.write_text(example.text, "utf-8")
        assert isinstance(resolve(conf=file).settings, Settings)
        assert yaml.safe_load(example.text)


def test_the_new_feature_of_the_five_minutes_loads_and_is_a_view_of_its_own() -> None:
    (example,) = [b for b in blocks("python") if b.note.startswith(RUNS) and b.page.name == "add-a-feature.md"]
    named: dict[str, object] = {}
    exec(compile(example.text, "household_weekends.py", "exec"), named)
    view = named["household_weekends"]
    assert isinstance(view, AggregateView)
    published = [feature.name for feature in view.published]
    assert published == [
        "sales_value_sum_30d",
        "sales_value_sum_90d",
        "weekend_sum_30d",
        "weekend_sum_90d",
        "weekend_share_90d",
    ]
    assert view.name not in {d.name for d in load().definitions}


def test_the_whole_file_that_the_readme_shows_is_that_file() -> None:
    (example,) = [b for b in blocks("python") if b.note.startswith(f"{RUNS}: ")]
    shown = example.note.removeprefix(f"{RUNS}: ").removesuffix(" -->")
    assert f"]({shown})" in text_of("README.md")
    assert example.text == text_of(shown)


def test_the_readme_shows_what_a_run_printed() -> None:
    shown = re.search(r"<!-- demo output -->\n```\n(.*?)```", text_of("README.md"), re.DOTALL)
    assert shown is not None
    tables = set(re.findall(r"\b(?:raw|derived|aggregate|cross_entity)/\w+/v\d+", shown[1]))
    assert tables
    assert tables <= load().by_key.keys()
