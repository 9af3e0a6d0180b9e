"""Commands that read definitions alone, without Spark: list, describe, lock."""

from typing import Any

import click

from definitions.errors import UnknownName
from ziggurat.cli.options import common, workspace_of


@click.command("list")
@common
def list_views(**where: Any) -> None:
    """Every source and view that is declared, layer by layer; then services and labels.

    A module that can't be imported is an error at the end; what the others declare is listed.
    """
    from ziggurat.cli.catalogue import models, overview
    from ziggurat.cli.terminal import table_text

    registry = workspace_of(**where, keep_going=True).registry
    header, views = overview(registry)
    click.echo(table_text(header, [*views, *models(registry)]))
    for problem in registry.problems[1:]:
        click.echo(f"error: {problem}", err=True)
    if registry.problems:
        raise registry.problems[0]


@click.command()
@click.argument("name")
@common
def describe(name: str, **where: Any) -> None:
    """What a view, source, service or label means: grain, clocks, every column."""
    from ziggurat.cli.catalogue import described

    registry = workspace_of(**where, keep_going=True).registry
    try:
        click.echo(described(registry, name))
    except UnknownName:
        if registry.problems:  # it may be declared in a module that could not be imported
            raise registry.problems[0] from None
        raise
    for problem in registry.problems:
        click.echo(f"note: {problem}", err=True)


@click.command()
@common
def lock(**where: Any) -> None:
    """Write the lock file: the fingerprint of every definition as it is now."""
    from definitions.versions import lock_path, lock_text

    registry = workspace_of(**where).registry
    lock_path(registry).write_text(lock_text(registry), "utf-8")
    click.echo(f"  {lock_path(registry)}: {len(registry.definitions)} definitions")


COMMANDS = (list_views, describe, lock)
