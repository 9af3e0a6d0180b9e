"""The commands of training sets: build one, show it, test it for leaks; list, verify and compare versions."""

import json
from typing import Any

import click

from ziggurat.cli.options import CommandGroup, beyond_the_reach, common, mapped_keys, spine_types, workspace_of


class _TrainingSets(CommandGroup):
    """A group that is a command too: `training-set --service …` builds one, `training-set show NAME` shows it."""


@click.group("training-set", cls=_TrainingSets, invoke_without_command=True)
@click.option("--service", metavar="NAME", help="The feature service, e.g. churn_v1.")
@click.option(
    "--spine", metavar="FILE_OR_TABLE", help="Join keys, label_time and labels: Delta, parquet, CSV, or a label's name."
)
@click.option("--out", "name", metavar="NAME", help="What the training set is called.")
@mapped_keys
@spine_types
@click.option(
    "--knowledge",
    type=click.Choice(["at_label", "latest"]),
    default="at_label",
    help="latest ignores when values were known: for analysis, never certified.",
)
@click.option("--split", default="", metavar="A,B,C", help="Shares of train, validation and test, by label time.")
@click.option("--split-at", default="", metavar="T,T", help="Instead: where validation and test begin.")
@click.option("--gap", default="", metavar="30d", help="Left out before each boundary; default: the label's horizon.")
@click.option(
    "--format",
    type=click.Choice(["delta", "parquet"]),
    default="delta",
    help="parquet: a copy beside the Delta table, for readers without Delta.",
)
@click.option(
    "--strategy",
    type=click.Choice(["auto", "sql", "arrow", "colocated"]),
    default="auto",
    help="How to join; none changes the answer.",
)
@beyond_the_reach
@click.option("--explain", is_flag=True, help="Build nothing: say how each view would be joined, and why.")
@common
@click.pass_context
def training_set(
    ctx: click.Context,
    /,
    service: str,
    spine: str,
    name: str,
    keys: tuple[str, ...],
    types: tuple[str, ...],
    explain: bool,
    **rest: Any,
) -> None:
    """Join a spine to a service's features as they were known at each label time.

    The result has the spine's rows and columns, then `{view}__{feature}`. It comes with a manifest and a certificate.
    A training set that exists is extended: only new or changed rows and views are joined.

    \b
    ziggurat training-set --service churn_v1 --spine churn_30d --out churn
    ziggurat training-set --service churn_v1 --spine my_spine.csv --out mine --key household_id=customer
    ziggurat training-set --service churn_v1 --spine churn_30d --out churn --split 0.7,0.15,0.15
    ziggurat training-set show churn
    """
    if ctx.invoked_subcommand is not None:
        return
    needed = [("--service", service), ("--spine", spine), *([] if explain else [("--out", name)])]
    if missing := [option for option, value in needed if not value]:
        raise click.UsageError(f"Missing option {', '.join(missing)}; to look at one: training-set show NAME.", ctx)
    from jobs.spines.spine import parsed_keys
    from jobs.spines.types import parsed_types
    from ziggurat.cli.training_set_format import choices_text, training_set_text

    options = {option: rest.pop(option) for option in ("knowledge", "strategy")}
    stored = {option: rest.pop(option) for option in ("split", "split_at", "gap", "format", "beyond_reach")}
    workspace = workspace_of(**rest)
    known = [key for key, _ in workspace.registry.service(service).keys]
    options |= {"keys": parsed_keys(keys, known), "types": parsed_types(types)}
    if explain:
        click.echo(choices_text(workspace.explain_training_set(service, spine, **options)))
        return
    click.echo(training_set_text(workspace.build_training_set(service, spine, name=name, **options, **stored)))


@training_set.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The manifest, certificate and card as JSON.")
@common
def show(name: str, as_json: bool, **where: Any) -> None:
    """The schema, label balance, null shares and verdict of training set NAME; writes its pages.

    NAME may be name@version: then the pages stay those of the newest.
    """
    from jobs.training_set.manifest_files import manifest_fields
    from jobs.training_set.pages import write_pages
    from lakehouse.tables import Warehouse
    from ziggurat.cli.training_set_format import card_text

    workspace = workspace_of(**where)
    manifest = workspace.manifest(name)
    if as_json:
        click.echo(json.dumps(manifest_fields(manifest), ensure_ascii=False))
        return
    is_newest = manifest.version == workspace.manifest(manifest.name).version
    pages = write_pages(Warehouse(workspace.settings.warehouse), manifest) if is_newest else ()
    click.echo(card_text(manifest, pages))


@training_set.command()
@click.argument("name")
@common
def prove(name: str, **where: Any) -> None:
    """Run the leak test: show that training set NAME holds nothing from its future.

    Some of its rows are computed again from raw facts: once without all facts that were not yet known at their label
    time, once with random values in their place. No cell may change. The result is written into the certificate.

    \b
    ziggurat training-set prove churn
    """
    from ziggurat.cli.training_set_format import leak_test_text

    click.echo(leak_test_text(workspace_of(**where).prove_training_set(name)))


@training_set.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
@common
def list_training_sets(as_json: bool, **where: Any) -> None:
    """Every training set with its newest version; starts no Spark."""
    from jobs.training_set.manifest_files import manifests
    from lakehouse.tables import Warehouse
    from ziggurat.cli.training_set_format import list_line, list_text

    newest = manifests(Warehouse(workspace_of(**where).settings.warehouse))
    if not as_json:
        click.echo(list_text(newest))
        return
    for manifest in newest:
        click.echo(json.dumps(list_line(manifest), ensure_ascii=False))


@training_set.command()
@click.argument("manifest", metavar="MANIFEST_OR_NAME")
@common
def verify(manifest: str, **where: Any) -> None:
    """Build a training set again from its manifest and compare the content hashes.

    MANIFEST_OR_NAME is a name, name@version, or the path of a manifest. The stored rows are joined anew to the tables
    at the versions that it names. If other rows come out, it says which columns differ in how many rows.

    \b
    ziggurat training-set verify churn
    ziggurat training-set verify churn@2
    """
    from ziggurat.cli.training_set_format import verified_text

    verification = workspace_of(**where).verify_training_set(manifest)
    verification.require_same()
    click.echo(verified_text(verification))


@training_set.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="The differences as JSON.")
@common
def diff(a: str, b: str, as_json: bool, **where: Any) -> None:
    """Which cells differ between A and B, and why: definition, data, labels or options.

    A and B are names, name@version, or paths of manifests. Rows meet by join keys and label time.

    \b
    ziggurat training-set diff churn@1 churn
    """
    from dataclasses import asdict

    from ziggurat.cli.training_set_format import diff_text

    difference = workspace_of(**where).diff_training_sets(a, b)
    click.echo(json.dumps(asdict(difference), ensure_ascii=False, default=str) if as_json else diff_text(difference))


COMMANDS = (training_set,)
