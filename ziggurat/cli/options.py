"""What verbs share: the options that each of them takes, and the workspace that these open."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ziggurat.own_packages import ROOT, hidden_in, is_shipped

if TYPE_CHECKING:
    from ziggurat.workspace import Workspace


class CommandGroup(click.Group):
    """Verbs in the order in which a newcomer meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every verb takes."""
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


def workspace_of(
    conf: Path | None, env: str, definitions: str, overrides: tuple[str, ...], log_format: str = "text"
) -> "Workspace":
    from ziggurat.cli.terminal import JsonListener, TerminalListener
    from ziggurat.workspace import open as open_workspace

    # Definitions are usually a package in the working directory; a console script does not look there by itself.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    listener = JsonListener() if log_format == "json" else TerminalListener()
    for path in hidden_in(Path.cwd()):
        click.echo(
            f"note: ./{path.name} is hidden by Ziggurat's own package `{path.stem}`; rename it if your definitions "
            "import it",
            err=True,
        )
    workspace = open_workspace(conf=conf, env=env, definitions=definitions, overrides=overrides, listener=listener)
    if _is_shipped_by_default(workspace):
        click.echo(
            "note: these are the definitions of the shipped grocery pyramid; name your own package by `definitions:` "
            "in a file for --conf, or by --definitions",
            err=True,
        )
    return workspace


def _is_shipped_by_default(workspace: "Workspace") -> bool:
    """True where nobody chose the definitions, and no package of that name lies in the working directory."""
    is_default = workspace.resolved.origins["definitions"] == "conf/base.yaml"
    is_checkout = Path.cwd().resolve() == ROOT.resolve()
    return is_default and not is_checkout and is_shipped(sys.modules[workspace.registry.package])
