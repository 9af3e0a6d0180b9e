"""Verbs about layouts: facts a second time, in hash buckets, for joins that move the spine alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ziggurat.cli.options import CommandGroup, common, workspace_of

if TYPE_CHECKING:
    from jobs.layouts.job import LayoutOutcome

_views = click.argument("views", nargs=-1, metavar="[VIEW]...")


@click.group(cls=CommandGroup)
def layout() -> None:
    """Facts laid out for fast joins: sorted by key, in hash buckets.

    A training set whose views are laid out moves its spine alone. Each build keeps the layouts up. A layout may be
    deleted at any time: joins then go without.

    \b
    ziggurat layout build household_spend
    ziggurat layout list
    """


@layout.command("list")
@common
def list_layouts(**where: Any) -> None:
    """What is laid out: of which version, in how many runs, how large, and what its newest upkeep took."""
    from jobs.layouts.job import described
    from ziggurat.cli.terminal import table_text

    lines = described(workspace_of(**where).context)
    if lines:
        click.echo(table_text(list(lines[0]), [list(line.values()) for line in lines]))
    else:
        click.echo("  nothing is laid out; say: ziggurat layout build")


@layout.command("build")
@_views
@common
def build_layouts(views: tuple[str, ...], **where: Any) -> None:
    """Lay out each VIEW that services join (default: all of them), or bring it to the newest release."""
    from jobs.layouts.job import build_layouts as build
    from jobs.layouts.job import declared_selections

    context = workspace_of(**where).context
    _tell(build(context, declared_selections(context.registry, views)))


@layout.command("compact")
@_views
@common
def compact_layouts(views: tuple[str, ...], **where: Any) -> None:
    """Write each laid out VIEW anew (default: all that are laid out), as one run."""
    from jobs.layouts.job import build_layouts as build
    from jobs.layouts.job import declared_selections, existing

    context = workspace_of(**where).context
    wanted = {each.view.name for each in declared_selections(context.registry, views)}
    _tell(build(context, [each for each in existing(context) if each.view.name in wanted], anew=True))


def _tell(outcomes: "Sequence[LayoutOutcome]") -> None:
    from ziggurat.cli.terminal import table_text

    if not outcomes:
        click.echo("  nothing is laid out; say: ziggurat layout build")
        return
    rows = [
        [each.layout, each.how, f"version {each.of_version}", f"{each.rows:,}", each.runs, f"{each.seconds:.1f} s"]
        for each in outcomes
    ]
    click.echo(table_text(["layout", "", "of", "rows", "runs", "took"], rows))


COMMANDS = (layout,)
