"""Verbs of the training sets' versions: list, verify, diff."""

import json
from typing import Any

import click

from ziggurat.cli.options import common, workspace_of


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
@common
def list_training_sets(as_json: bool, **where: Any) -> None:
    """Every training set with its newest version; starts no Spark."""
    from jobs.training_set.manifest_files import manifests
    from lakehouse.tables import Warehouse
    from ziggurat.cli.training_set_format import list_line, list_text

    found = manifests(Warehouse(workspace_of(**where).settings.warehouse))
    if not as_json:
        click.echo(list_text(found))
        return
    for manifest in found:
        click.echo(json.dumps(list_line(manifest), ensure_ascii=False))


@click.command()
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

    found = workspace_of(**where).verify_training_set(manifest)
    found.require_same()
    click.echo(verified_text(found))


@click.command()
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

    found = workspace_of(**where).diff_training_sets(a, b)
    click.echo(json.dumps(asdict(found), ensure_ascii=False, default=str) if as_json else diff_text(found))


COMMANDS = (list_training_sets, verify, diff)
