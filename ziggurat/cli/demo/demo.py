"""`ziggurat demo`: the main job on a year of real groceries, and what came out of it, on one screen."""

import subprocess
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from definitions.layers import LAYERS
from definitions.registry import key_of
from definitions.views import Definition
from ziggurat.cli.batch_frames import batch_frame_text
from ziggurat.cli.labels import label_text
from ziggurat.cli.online_format import export_text
from ziggurat.cli.runs import run_line
from ziggurat.cli.terminal import table_text, values_text
from ziggurat.cli.training_set_format import training_set_text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

    from jobs.run.outcome import RunOutcome
    from ziggurat.workspace import Workspace

SUNDAYS = ("2017-04-02", "2017-11-26")
AS_OF = "2017-11-30"
HOUSEHOLD = 22
SERVICE, LABEL, TRAINING_SET = "churn_v1", "churn_30d", "churn"
# Mondays at noon, a day and a half after each of the Sundays; the data end before the last labels' horizon.
LABEL_TIMES = ("2017-04-03", "2017-12-05")
SCORED = (1, 22, 1234)
LOOK_UP = ("get", f"household_id={HOUSEHOLD}", "--service", SERVICE)
LOOKED_UP_LINES = 12
# A few of each layer, so that a screen holds them; the report shows all.
_SHOWN = {
    "raw": ("transaction_timestamp", "product_id", "quantity", "sales_value", "retail_disc"),
    "derived": ("department", "unit_price", "discount_rate", "is_weekend", "hour_of_day", "is_exposed"),
    "aggregate": (
        "sales_value_sum_30d",
        "basket_id_count_distinct_30d",
        "days_since_last_visit",
        "discount_share_90d",
        "grocery_share",
        "redemption_count_lifetime",
    ),
    "cross_entity": (
        "cohort_members",
        "sales_value_sum_30d_ratio_to_mean",
        "sales_value_sum_30d_percentile_rank",
        "grocery_share_ratio_to_mean",
    ),
}
Example = Mapping[str, tuple[tuple[str, Any, str], ...]]


def run_demo(workspace: "Workspace") -> None:
    """Backfill the Sundays, build one more day, show tables, a household and where to go next."""
    begun = time.monotonic()
    click.echo("Ziggurat on a year of groceries: 1.47 million basket lines, 20.9 million promotions\n")
    click.echo(f"1. backfill every Sunday from {SUNDAYS[0]} to {SUNDAYS[1]}")
    backfill = _concluded(workspace.backfill(*SUNDAYS, every="7d"))
    click.echo(f"\n2. build {AS_OF}")
    build = _concluded(workspace.build(AS_OF))
    click.echo(
        f"\n3. what a model learns from: who stays away for {LABEL.rpartition('_')[2]}, and what was known before"
    )
    _training_set(workspace)
    click.echo(f"\n4. what it scores: the batch frame as of {AS_OF}\n")
    click.echo(batch_frame_text(_few_scored(workspace), None))
    click.echo("\n5. online, and looked up without Spark\n")
    _online(workspace)
    click.echo(f"\n6. what stands in {workspace.settings.warehouse}/\n")
    click.echo(_what_stands(workspace))
    click.echo(f"\n7. household {HOUSEHOLD} as of {AS_OF}, through the four layers\n")
    example = household(workspace)
    for layer, values in example.items():
        click.echo(f"    {layer.replace('_', '-')}")
        click.echo(values_text({name: value for name, value, _ in values if name in _SHOWN[layer]}))
    report = _report(workspace, backfill, build, example)
    click.echo(f"\n8. pages with pictures\n\n     the run           {report}")
    folder = workspace.context.warehouse.training_set(TRAINING_SET).path
    click.echo(f"     the training set  {folder}/card.html\n     its certificate   {folder}/certificate.html")
    click.echo("\n   try next:")
    for words in (
        "describe household_vs_cohort",
        f"training-set show {TRAINING_SET}",
        f"get household_id=1234 --service {SERVICE} --json",
        "build --as-of 2017-12-10 --select household_spend+",
        "init my_shop",
    ):
        click.echo(f"     .venv/bin/python -m ziggurat {words}")
    click.echo(f"\n   done in {time.monotonic() - begun:.0f} s")


def _training_set(workspace: "Workspace") -> None:
    click.echo(label_text(workspace.labels(LABEL, start=LABEL_TIMES[0], end=LABEL_TIMES[1])))
    click.echo(training_set_text(workspace.build_training_set(SERVICE, LABEL, name=TRAINING_SET)))


def _few_scored(workspace: "Workspace") -> "DataFrame":
    """Of a few households and columns, so that they fit a screen; `batch-frame` gives all."""
    import pandas as pd

    frame = workspace.batch_frame(SERVICE, as_of=AS_OF, entities=pd.DataFrame({"household_id": SCORED}))
    names = [c.name for c in workspace.registry.service(SERVICE).columns]
    age = f"{names[0].partition('__')[0]}__age"
    return frame.select("household_id", "label_time", *names[:4], age).orderBy("household_id")


def _online(workspace: "Workspace") -> None:
    """Export, then look up as a user would: in a process of its own, which loads no engine."""
    click.echo(export_text(workspace.export(as_of=AS_OF)))
    click.echo(f"  $ ziggurat {' '.join(LOOK_UP)}")
    begun = time.monotonic()
    done = look_up(workspace)
    seconds = time.monotonic() - begun
    lines = done.stdout.splitlines()
    click.echo("\n".join(f"    {line}" for line in lines[:LOOKED_UP_LINES]))
    click.echo(
        f"    ⋮ {len(lines) - LOOKED_UP_LINES} more lines; answered in {seconds:.2f} s, by a process without Spark"
    )


def look_up(workspace: "Workspace") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ziggurat", *LOOK_UP, "-s", f"warehouse={workspace.settings.warehouse}"]
    return subprocess.run(command, check=True, capture_output=True, text=True)


def _concluded(outcome: "RunOutcome") -> "RunOutcome":
    click.echo(run_line(outcome, None))
    if outcome.error is not None:
        raise outcome.error
    return outcome


def _report(workspace: "Workspace", backfill: "RunOutcome", build: "RunOutcome", example: Example) -> str:
    """The report of the larger run; a demo that had nothing to do shows the one that is there."""
    from jobs.run.report import latest_report, write_report

    if backfill.is_unchanged and build.is_unchanged and (path := latest_report(workspace.context)):
        return path
    shown = build if backfill.is_unchanged else backfill
    return write_report(workspace.context, shown, example=example, example_entity=f"household {HOUSEHOLD}, {AS_OF}")


def _what_stands(workspace: "Workspace") -> str:
    """Rows by the ledger, features by the definitions: nothing is counted again."""
    from jobs.run.published import PublishedState
    from lakehouse.ledger.ledger import Ledger

    known = PublishedState(Ledger.open(workspace.spark, workspace.context.warehouse).state())
    rows: list[list[Any]] = []
    for definition in workspace.registry.definitions:
        key = key_of(definition)
        is_snapshot = definition.is_snapshot
        rows.append([key, known.rows(key), len(_names(definition)), len(known.slices(key)) if is_snapshot else None])
    above = [row for row in rows if not row[0].startswith("raw/")]
    total = f"\n\n  {len(above)} views above raw, with {sum(row[2] for row in above)} features"
    return table_text(["table", "rows", "columns", "as-ofs"], rows) + total


def _names(definition: Definition) -> list[tuple[str, str]]:
    """The columns that a definition adds, each with its unit."""
    return [(feature.name, feature.unit) for feature in definition.published]


def household(workspace: "Workspace") -> Example:
    """A household's newest basket line before the as-of, raw and derived, then its features of both upper layers."""
    found: dict[str, list[tuple[str, Any, str]]] = {layer: [] for layer in LAYERS}
    for definition in workspace.registry.definitions:
        if definition.name in ("transactions", "basket_lines"):
            row = _newest_line(workspace, definition)
        elif definition.entity is not None and definition.entity.name == "household":
            of = f"household_id = {HOUSEHOLD} and event_time = timestamp'{AS_OF}T00:00:00Z'"
            row = workspace.view(definition.name).where(of).head()
        else:
            continue
        found[definition.layer] += [(name, _shown(name, row), unit) for name, unit in _names(definition)]
    return {layer: tuple(values) for layer, values in found.items()}


def _newest_line(workspace: "Workspace", definition: Definition) -> "Row | None":
    before = f"household_id = {HOUSEHOLD} and event_time < timestamp'{AS_OF}T00:00:00Z'"
    return workspace.view(definition.name).where(before).orderBy("event_time", "product_id", ascending=False).head()


def _shown(name: str, row: "Row | None") -> Any:
    value = row[name] if row is not None else None
    return str(value) if name.endswith("_id") and value is not None else value
