"""Commands that read definitions alone, without Spark: list, describe, lock."""

from typing import Any

import click

from ziggurat.cli.options import common, workspace_of


@click.command("list")
@common
def list_views(**where: Any) -> None:
    """Every source and view that is declared, layer by layer; then services and labels."""
    from ziggurat.cli.catalogue import models, overview
    from ziggurat.cli.terminal import table_text

    registry = workspace_of(**where).registry
    header, views = overview(registry)
    click.echo(table_text(header, [*views, *models(registry)]))


@click.command()
@click.argument("name")
@common
def describe(name: str, **where: Any) -> None:
    """What a view, source, service or label means: grain, clocks, every column."""
    from ziggurat.cli.catalogue import described

    click.echo(described(workspace_of(**where).registry, name))


@click.command()
@common
def lock(**where: Any) -> None:
    """Write the lock file: the fingerprint of every definition as it is now."""
    from definitions.versions import lock_path, lock_text

    registry = workspace_of(**where).registry
    lock_path(registry).write_text(lock_text(registry), "utf-8")
    click.echo(f"  {lock_path(registry)}: {len(registry.definitions)} definitions")


COMMANDS = (list_views, describe, lock)
