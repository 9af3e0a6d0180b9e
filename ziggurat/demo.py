"""`ziggurat demo`: the main job on a year of real groceries, and what came out of it, on one screen."""

import time
from typing import TYPE_CHECKING, Any

import click

from features.registry import LAYERS, key_of
from features.sources import Source
from features.views import AggregateView, CrossEntityView, DerivedView
from ziggurat.summary import run_line
from ziggurat.terminal import table_text, values_text

if TYPE_CHECKING:
    from ziggurat.workspace import Workspace

SUNDAYS = ("2017-04-02", "2017-11-26")
AS_OF = "2017-11-30"
HOUSEHOLD = 1
_SHOWN = 6


def run_demo(workspace: "Workspace") -> None:
    """Backfill the Sundays, build one more day, show tables, a household and where to go next."""
    begun = time.monotonic()
    click.echo("Ziggurat: 1.47 million basket lines, 20.9 million promotions, 2,469 households\n")
    click.echo(f"1. backfill every Sunday from {SUNDAYS[0]} to {SUNDAYS[1]}")
    backfill = workspace.backfill(*SUNDAYS, every="7d")
    click.echo(run_line(backfill, None))
    if backfill.error is not None:
        raise backfill.error
    click.echo(f"\n2. build {AS_OF}")
    build = workspace.build(AS_OF)
    click.echo(run_line(build, None))
    if build.error is not None:
        raise build.error
    click.echo(f"\n3. what stands in {workspace.settings.warehouse}/\n")
    click.echo(_what_stands(workspace))
    click.echo(f"\n4. household {HOUSEHOLD} as of {AS_OF}, through the four layers\n")
    example = household(workspace)
    for layer, values in example.items():
        click.echo(f"    {layer.replace('_', '-')}")
        click.echo(values_text({name: value for name, value, _ in values[:_SHOWN]}))
    _close(workspace, backfill if not backfill.is_unchanged else build, example, begun)


def _close(workspace: "Workspace", outcome: Any, example: Any, begun: float) -> None:
    from jobs.run_report import write_report

    report = write_report(workspace.place, outcome, example=example, example_entity=f"household {HOUSEHOLD}")
    click.echo(f"\n5. the run's report, with pictures: {report}\n")
    python = ".venv/bin/python -m ziggurat"
    click.echo("   try next:")
    click.echo(f"     {python} describe household_vs_cohort")
    click.echo(f"     {python} build --as-of 2017-12-10 --select household_spend+")
    click.echo(f"     {python} init my_features")
    click.echo(f"\n   done in {time.monotonic() - begun:.0f} s")


def _what_stands(workspace: "Workspace") -> str:
    """Rows by the ledger, features by the definitions: nothing is counted again."""
    from jobs.known import Known
    from lakehouse.ledger import Ledger

    known = Known(Ledger.open(workspace.spark, workspace.place.warehouse).state())
    rows: list[list[Any]] = []
    for definition in workspace.registry.definitions:
        key = key_of(definition)
        features = (
            len(definition.columns)
            if isinstance(definition, Source)
            else len(definition.outputs if isinstance(definition, DerivedView) else definition.published)
        )
        rows.append(
            [
                key,
                known.rows(key),
                features,
                len(known.slices(key)) if isinstance(definition, AggregateView | CrossEntityView) else None,
            ]
        )
    above = [row for row in rows if not row[0].startswith("raw/")]
    total = f"\n  {len(above)} views above raw with {sum(row[2] for row in above)} features"
    return table_text(["table", "rows", "features", "as-ofs"], rows) + total


def household(workspace: "Workspace") -> dict[str, tuple[tuple[str, Any, str], ...]]:
    """One household's newest basket line before the as-of, raw and derived, then its features of both upper layers."""
    from pyspark.sql import functions as F

    found: dict[str, list[tuple[str, Any, str]]] = {layer: [] for layer in LAYERS}
    for name in ("transactions", "basket_lines"):
        definition = workspace.registry.get(name)
        lines = workspace.view(name).where(
            (F.col("household_id") == HOUSEHOLD) & (F.col("event_time") < F.lit(f"{AS_OF}T00:00:00Z").cast("timestamp"))
        )
        newest = lines.orderBy(F.desc("event_time"), "product_id").head()
        shown = (
            [c.name for c in definition.columns]
            if isinstance(definition, Source)
            else [f.name for f in getattr(definition, "outputs", ())]
        )
        found[definition.layer] += [(column, newest[column] if newest else None, "") for column in shown]
    for definition in workspace.registry.definitions:
        if isinstance(definition, AggregateView | CrossEntityView) and definition.entity.key_names == ("household_id",):
            row = workspace.view(definition.name, as_of=AS_OF).where(F.col("household_id") == HOUSEHOLD).head()
            found[definition.layer] += [(f.name, row[f.name] if row else None, f.unit) for f in definition.published]
    return {layer: tuple(values) for layer, values in found.items()}
