"""Commands of the online store: export to it, look up in it. A look-up starts no Spark, and loads none."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from definitions.durations import instant_us
from definitions.errors import DefinitionError, UsageError
from ziggurat.cli.options import common, setting_overrides, workspace_of

if TYPE_CHECKING:
    from online_store import StoreSettings


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
    from ziggurat.cli.online_format import export_text

    workspace = workspace_of(**where, keep_going=True)
    problems = workspace.registry.problems
    if services:
        for problem in problems:
            click.echo(f"note: {problem}", err=True)
    outcome = workspace.export(as_of=as_of, services=services, rollback=rollback)
    click.echo(export_text(outcome))
    errors = [*outcome.refused.values(), *([] if services else problems)]
    for error in errors[1:]:
        click.echo(f"error: {error}", err=True)
    if errors:
        raise errors[0]


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
    from ziggurat.settings import resolve, store_settings

    overrides = setting_overrides(where["overrides"], where["definitions"])
    settings = resolve(env=where["env"], conf=where["conf"], overrides=overrides).settings
    click.echo(look_up(store_settings(settings), service, keys, at=at, as_json=as_json))


def look_up(settings: "StoreSettings", service: str, pairs: Sequence[str], *, at: str | None, as_json: bool) -> str:
    """The store's answer for words such as `household_id=1234`, as of `at` (now, when not given): text or JSON.

    Raises UsageError for words and instants that can't be read, and what the store's `open` and `answer` raise.
    """
    from online_store import open_store
    from online_store.answer import answer
    from online_store.answer_json import answer_json
    from ziggurat.cli.online_format import answer_text

    keys, at_us = _parsed_keys(pairs), _parsed_instant(at)
    with open_store(settings).open() as reader:
        row = answer(reader, service, keys, at_us)
    return answer_json(row) if as_json else answer_text(row)


def _parsed_keys(pairs: Sequence[str]) -> dict[str, str | int]:
    keys: dict[str, str | int] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise UsageError(f"'{pair}' is not a key and its value; write e.g. household_id=1234.")
        if name in keys:
            raise UsageError(f"key '{name}' is given twice; one row is looked up at a time.")
        keys[name] = value
    return keys


def _parsed_instant(at: str | None) -> int:
    if at is None:
        return time.time_ns() // 1_000
    try:
        return instant_us(at, where="at")
    except DefinitionError as error:
        raise UsageError(str(error)) from None


COMMANDS = (export, get)
