"""Verbs of training sets: build one, look at it.

Other modules add verbs of theirs to the group with `@training_set.command()`.
"""

import json
from typing import Any

import click

from ziggurat.options import Verbs, common, workspace_of

mapped_keys = click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY=COLUMN",
    help="What the spine calls a join key, e.g. household_id=customer; repeatable.",
)


class _TrainingSets(Verbs):
    """A group that is a verb too: `training-set --service …` builds one, `training-set show NAME` shows it."""


@click.group("training-set", cls=_TrainingSets, invoke_without_command=True)
@click.option("--service", metavar="NAME", help="The feature service, e.g. churn_v1.")
@click.option(
    "--spine", metavar="FILE_OR_TABLE", help="Join keys, label_time and labels: Delta, parquet, CSV, or a label's name."
)
@click.option("--out", "name", metavar="NAME", help="What the training set is called.")
@mapped_keys
@click.option(
    "--knowledge",
    type=click.Choice(["at_label", "latest"]),
    default="at_label",
    help="latest ignores when values were known: for analysis, never certified.",
)
@common
@click.pass_context
def training_set(
    ctx: click.Context, /, service: str, spine: str, name: str, keys: tuple[str, ...], **rest: Any
) -> None:
    """Join a spine to a service's features as they were known at each label time.

    The result has the spine's rows and columns, then `{view}__{feature}`. It comes with a manifest and a certificate.

    \b
    ziggurat training-set --service churn_v1 --spine churn_30d --out churn
    ziggurat training-set --service churn_v1 --spine my_spine.csv --out mine --key household_id=customer
    ziggurat training-set show churn
    """
    if ctx.invoked_subcommand is not None:
        return
    missing = [option for option, value in (("--service", service), ("--spine", spine), ("--out", name)) if not value]
    if missing:
        raise click.UsageError(f"Missing option {', '.join(missing)}; or say: training-set show NAME.", ctx)
    from jobs.spines import parsed_keys
    from ziggurat.model_texts import training_set_text

    knowledge = rest.pop("knowledge")
    workspace = workspace_of(**rest)
    known = [key for key, _ in workspace.registry.service(service).keys]
    made = workspace.build_training_set(service, spine, name=name, keys=parsed_keys(keys, known), knowledge=knowledge)
    click.echo(training_set_text(made))


@training_set.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The manifest, certificate and card as JSON.")
@common
def show(name: str, as_json: bool, **where: Any) -> None:
    """The schema, label balance, null shares and verdict of training set NAME; writes its pages."""
    from dataclasses import asdict

    from jobs.pages import write_pages
    from lakehouse.tables import Warehouse
    from ziggurat.model_texts import card_text

    workspace = workspace_of(**where)
    manifest = workspace.manifest(name)
    if as_json:
        click.echo(json.dumps(asdict(manifest), ensure_ascii=False))
        return
    click.echo(card_text(manifest, write_pages(Warehouse(workspace.settings.warehouse), manifest)))
