"""Verbs of the online store: export to it, look up in it. A look-up starts no Spark, and loads none."""

from typing import Any

import click

from ziggurat.cli.options import common, workspace_of


@click.command()
@click.option(
    "--as-of", required=True, metavar="T", help="The as-of to publish; all views of the services must have it."
)
@click.option("--service", "services", multiple=True, metavar="NAME", help="Only this one; repeatable. Default: all.")
@click.option("--rollback", is_flag=True, help="Publish an older as-of than the one that is served.")
@common
def export(as_of: str, services: tuple[str, ...], rollback: bool, **where: Any) -> None:
    """Publish the features of an as-of to the online store: whole and verified, or not at all.

    \b
    ziggurat export --as-of 2017-11-30
    """
    from ziggurat.cli.model_format import export_text

    click.echo(export_text(workspace_of(**where).export(as_of=as_of, services=services, rollback=rollback)))


@click.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY=VALUE…")
@click.option("--service", required=True, metavar="NAME", help="The feature service, e.g. churn_v1.")
@click.option("--at", metavar="T", help="The instant that ages and expiry count from; default: now.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@common
def get(keys: tuple[str, ...], service: str, at: str | None, as_json: bool, **where: Any) -> None:
    """A service's features of one entity, from the online store.

    \b
    ziggurat get household_id=22 --service churn_v1
    """
    from ziggurat.cli.get import look_up
    from ziggurat.settings import resolve, store_settings

    settings = resolve(env=where["env"], conf=where["conf"], overrides=_overrides(**where)).settings
    click.echo(look_up(store_settings(settings), service, keys, at=at, as_json=as_json))


def _overrides(overrides: tuple[str, ...], definitions: str, **_: Any) -> list[str]:
    return [*overrides, *([f"definitions={definitions}"] if definitions else [])]


COMMANDS = (export, get)
