"""`ziggurat doctor --content`: whether the tables still hold what was published."""

from pathlib import Path
from typing import TYPE_CHECKING

from ziggurat.context import plan_context
from ziggurat.loading import load_definitions
from ziggurat.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.inputs.content_check import TableContent
    from jobs.training_set.lost import Lost


def content_text(*, conf: Path | None, env: str, overrides: list[str]) -> str:
    """A line for each table. Raises StorageError for those that changed, or that only Spark could read."""
    from jobs.inputs.content_check import check_content
    from jobs.run.published import PublishedState
    from jobs.training_set.lost import lost_versions
    from lakehouse.reader import NeedsSpark
    from lakehouse.storage_errors import StorageError

    settings = resolve(env=env, conf=conf, overrides=overrides).settings
    registry = load_definitions(settings.definitions)
    context = plan_context(settings, registry)
    manifests, lost = lost_versions(context.warehouse)
    named = _named(manifests, lost)
    try:
        published = PublishedState(context.ledger())
        tables = list(check_content(context.warehouse, registry, published, context.reader))
    except NeedsSpark as why:
        raise StorageError(
            f"The content of {context.warehouse.root} can't be checked: {why}. Its logs are damaged, or it lies where "
            + "\n".join(["only Spark can read.", *named])
        ) from why
    heading = "  content, compared with what was published"
    lines = "\n".join(["", heading, *map(_line, tables), *named])
    changed = [table for table in tables if table.findings]
    if changed:
        first = changed[0]
        raise StorageError(
            f"{len(changed)} of {len(tables)} tables do not hold what was published, e.g. {first.table}: "
            f"{first.findings[0]}. Restore their files from a copy; a view can also be built again in an empty folder."
            f"\n{lines}"
        )
    if rows := [each for each in lost if each.is_rows]:
        raise StorageError(
            f"rows of training set {rows[0].called} are lost: {rows[0].text}. Restore the files from a copy, or build "
            f"it again.\n{lines}"
        )
    return lines if tables else f"{lines}\n    nothing is published yet"


def _named(manifests: int, lost: "Sequence[Lost]") -> list[str]:
    """What manifests of training sets name and is lost, each table version of each."""
    if not manifests:
        return []
    heading = "  training sets, and the table versions that their manifests name"
    found = [f"    {'✗' if each.is_rows else '!'} {each.called}: {each.text}" for each in lost]
    return ["", heading, *(found or [f"    ✓ {manifests} manifests: all can be read"])]


def _line(table: "TableContent") -> str:
    if table.findings:
        return "\n".join(f"    ✗ {table.table}: {finding}" for finding in table.findings)
    slices = f", {table.slices} slices of the same content hash" if table.slices else ""
    return f"    ✓ {table.table}: {table.files} files whole{slices}"
