"""Commands of layouts: copies of facts in hash buckets, for joins that shuffle the spine alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ziggurat.cli.options import CommandGroup, common, workspace_of

if TYPE_CHECKING:
    from jobs.layouts.job import LayoutOutcome

_views = click.argument("views", nargs=-1, metavar="[VIEW]...")


@click.group(cls=CommandGroup)
def layout() -> None:
    """Copies of facts for fast joins: in hash buckets, sorted by key.

    Where a view has a layout, a training set shuffles its spine alone. Each build updates the layouts. A layout may be
    deleted at any time: joins then read the table itself.

    \b
    ziggurat layout build household_spend
    ziggurat layout list
    """


@layout.command("list")
@common
def list_layouts(**where: Any) -> None:
    """The layouts there are: the table version, the number of sorted runs, size, and time of the newest update."""
    from jobs.layouts.job import described
    from ziggurat.cli.terminal import table_text

    lines = described(workspace_of(**where).context)
    if lines:
        click.echo(table_text(list(lines[0]), [list(line.values()) for line in lines]))
    else:
        click.echo("  no view has a layout; write them with: ziggurat layout build")


@layout.command("build")
@_views
@common
def build_layouts(views: tuple[str, ...], **where: Any) -> None:
    """Write the layout of each VIEW (default: all that services join), or update it to the newest release."""
    from jobs.layouts.job import build_layouts as build
    from jobs.layouts.job import declared_selections

    context = workspace_of(**where).context
    _show(build(context, declared_selections(context.registry, views)))


@layout.command("compact")
@_views
@common
def compact_layouts(views: tuple[str, ...], **where: Any) -> None:
    """Rewrite the layout of each VIEW (default: all layouts) as one sorted run."""
    from jobs.layouts.job import build_layouts as build
    from jobs.layouts.job import declared_selections, existing

    context = workspace_of(**where).context
    names = {selection.view.name for selection in declared_selections(context.registry, views)}
    _show(build(context, [selection for selection in existing(context) if selection.view.name in names], anew=True))


def _show(outcomes: "Sequence[LayoutOutcome]") -> None:
    from ziggurat.cli.terminal import table_text

    if not outcomes:
        click.echo("  no view has a layout; write them with: ziggurat layout build")
        return
    rows = [
        [
            outcome.layout,
            outcome.how,
            f"version {outcome.of_version}",
            f"{outcome.rows:,}",
            outcome.runs,
            f"{outcome.seconds:.1f} s",
        ]
        for outcome in outcomes
    ]
    click.echo(table_text(["layout", "", "of", "rows", "runs", "took"], rows))


COMMANDS = (layout,)
