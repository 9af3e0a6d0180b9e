"""`ziggurat doctor --content`: whether the tables still hold what was published."""

from pathlib import Path
from typing import TYPE_CHECKING

from ziggurat.context import plan_context
from ziggurat.loading import load_definitions
from ziggurat.settings import resolve

if TYPE_CHECKING:
    from jobs.inputs.content_check import TableContent


def content_text(*, conf: Path | None, env: str, overrides: list[str]) -> str:
    """A line for each table. Raises StorageError for those that changed, or that only Spark could read."""
    from jobs.inputs.content_check import check_content
    from jobs.run.published import PublishedState
    from lakehouse.reader import NeedsSpark
    from lakehouse.storage_errors import StorageError

    settings = resolve(env=env, conf=conf, overrides=overrides).settings
    registry = load_definitions(settings.definitions)
    context = plan_context(settings, registry)
    try:
        published = PublishedState(context.ledger())
        tables = list(check_content(context.warehouse, registry, published, context.reader))
    except NeedsSpark as why:
        raise StorageError(
            f"The content of {context.warehouse.root} can't be checked: {why}. Its logs are damaged, or it lies where "
            "only Spark can read."
        ) from why
    lines = "\n".join(["", "  content, compared with what was published", *map(_line, tables)])
    changed = [table for table in tables if table.findings]
    if changed:
        first = changed[0]
        raise StorageError(
            f"{len(changed)} of {len(tables)} tables do not hold what was published, e.g. {first.table}: "
            f"{first.findings[0]}. Restore their files from a copy; a view can also be built again in an empty folder."
            f"\n{lines}"
        )
    return lines if tables else f"{lines}\n    nothing is published yet"


def _line(table: "TableContent") -> str:
    if table.findings:
        return "\n".join(f"    ✗ {table.table}: {finding}" for finding in table.findings)
    slices = f", {table.slices} slices of the same content hash" if table.slices else ""
    return f"    ✓ {table.table}: {table.files} files whole{slices}"
