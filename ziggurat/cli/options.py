"""What all commands share: their options, the workspace that these open, and the notes printed before it."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ziggurat.own_packages import ROOT, hidden_in, hidden_note, is_shipped

if TYPE_CHECKING:
    from ziggurat.workspace import Workspace


class CommandGroup(click.Group):
    """Commands in the order in which they were added, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command takes."""
    options = [
        click.option(
            "--conf",
            type=click.Path(dir_okay=False, path_type=Path),
            help="A YAML file of settings that differ from conf/base.yaml.",
        ),
        click.option(
            "--env", default="", metavar="NAME", help="Settings of an environment: conf/NAME.yaml (emr, databricks)."
        ),
        click.option(
            "--definitions",
            default="",
            metavar="PACKAGE",
            help="The importable package that declares sources and views.",
        ),
        click.option(
            "-s",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="One setting, e.g. -s build.workers=2; repeatable.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


logging = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="text for people, json: one line per event.",
)
selecting = click.option(
    "--select",
    multiple=True,
    metavar="VIEW[+]",
    help="Only this view and what it needs; VIEW+ also all that is built on it.",
)
mapped_keys = click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY=COLUMN",
    help="What the spine calls a join key, e.g. household_id=customer; repeatable.",
)
spine_types = click.option(
    "--type",
    "types",
    multiple=True,
    metavar="COLUMN=TYPE",
    help="The type of a column of a CSV spine that is no key, e.g. price=double; repeatable. Default: text.",
)


beyond_the_reach = click.option(
    "--beyond-reach",
    type=click.Choice(["warn", "refuse"]),
    default="warn",
    help="What becomes of rows of later than a source of events reaches: counted and named, or refused.",
)


def workspace_of(
    conf: Path | None,
    env: str,
    definitions: str,
    overrides: tuple[str, ...],
    log_format: str = "text",
    *,
    is_demo: bool = False,
    keep_going: bool = False,
) -> "Workspace":
    """The workspace of these options. Notes on stderr come first: hidden packages, shipped definitions."""
    from ziggurat.cli.terminal import JsonListener, TerminalListener
    from ziggurat.loading import refuse_unknown_sources
    from ziggurat.workspace import open as open_workspace

    note_hidden_packages()
    listener = JsonListener() if log_format == "json" else TerminalListener()
    workspace = open_workspace(
        conf=conf, env=env, definitions=definitions, overrides=overrides, listener=listener, keep_going=keep_going
    )
    refuse_unknown_sources(workspace.resolved, workspace.registry)
    if not is_demo:
        _note_shipped_definitions(workspace)
    return workspace


def note_hidden_packages() -> None:
    """One line on stderr for each package in the working directory that has the name of one of ours."""
    for path in hidden_in(Path.cwd()):
        click.echo(f"note: {hidden_note(path)}", err=True)


def _note_shipped_definitions(workspace: "Workspace") -> None:
    """Says that the shipped pyramid is in use, where no setting chose it and the folder is not our checkout."""
    is_default = workspace.resolved.origins["definitions"] == "conf/base.yaml"
    if is_default and is_shipped(sys.modules[workspace.registry.package]) and Path.cwd().resolve() != ROOT.resolve():
        click.echo(
            "note: these are the definitions of the shipped grocery pyramid; name your own package by `definitions:` "
            "in a file for --conf, or by --definitions",
            err=True,
        )


def setting_overrides(overrides: Sequence[str], definitions: str) -> list[str]:
    """The settings that the command line names, as `key=value`."""
    return [*overrides, *([f"definitions={definitions}"] if definitions else [])]
