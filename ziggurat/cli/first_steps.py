"""Commands of the first hour: doctor (this machine), init (a project), demo (a year of groceries)."""

from pathlib import Path
from typing import Any

import click

from ziggurat.cli.options import common, setting_overrides, workspace_of


@click.command()
@click.option("--content", is_flag=True, help="Also read every table, and compare it with what was published.")
@common
def doctor(content: bool, **where: Any) -> None:
    """Check this machine, and say how to fix what is wrong.

    Checks Java, Spark, Delta, disk, package names and settings (with the origin of each).
    """
    from ziggurat.cli.content import content_text
    from ziggurat.cli.doctor import examine

    click.echo(examine(**where))
    if content:
        overrides = setting_overrides(where["overrides"], where["definitions"])
        click.echo(content_text(conf=where["conf"], env=where["env"], overrides=overrides))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a starter project of your own into FOLDER."""
    from ziggurat.cli.starter_project import write_starter

    click.echo(write_starter(folder))


@click.command()
@common
def demo(**where: Any) -> None:
    """Build a year of real groceries, and show it."""
    from ziggurat.cli.demo.demo import run_demo

    run_demo(workspace_of(**where, is_demo=True))


COMMANDS = (doctor, init, demo)
