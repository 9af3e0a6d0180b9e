"""The command `batch-frame`, and what a batch frame looks like on a terminal."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from definitions.errors import UsageError
from ziggurat.cli.options import beyond_the_reach, common, mapped_keys, workspace_of
from ziggurat.cli.terminal import table_text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SHOWN_ROWS = 4
_STEP = "batch-frame"
_PARQUET = re.compile(r"_SUCCESS$|\.|part-[^/]*\.parquet$")  # what a frame consists of


@click.command("batch-frame")
@click.option("--service", required=True, metavar="NAME", help="The feature service, e.g. churn_v1.")
@click.option("--as-of", required=True, metavar="T", help="The as-of whose snapshots are scored.")
@click.option("--entities", metavar="FILE_OR_TABLE", help="Only these: join keys. Default: all that were seen.")
@click.option("--out", "path", metavar="FOLDER", help="Where to write parquet; default: show the first rows.")
@mapped_keys
@beyond_the_reach
@common
def batch_frame(
    service: str,
    as_of: str,
    entities: str | None,
    path: str | None,
    keys: tuple[str, ...],
    beyond_reach: str,
    **where: Any,
) -> None:
    """The newest known features of all entities, in the service's column order, to be scored.

    \b
    ziggurat batch-frame --service churn_v1 --as-of 2017-11-30 --out to_score
    """
    from jobs.spines.spine import parsed_keys

    workspace = workspace_of(**where)
    known = [key for key, _ in workspace.registry.service(service).keys]
    listener = workspace.listener
    listener.begun(_STEP)
    try:
        listener.phase(_STEP, "opening the release")
        opened = workspace.opened_batch_frame(
            service, as_of=as_of, entities=entities, keys=parsed_keys(keys, known), beyond_reach=beyond_reach
        )
        with opened as frame:
            listener.phase(_STEP, "writing the rows" if path else "giving the rows")
            text = batch_frame_text(frame, path)
    finally:
        listener.idle(_STEP)
    click.echo(text)


def batch_frame_text(frame: "DataFrame", path: str | None) -> str:
    """Writes the frame where it is to go, or shows its first rows."""
    from pyspark.sql import functions as F

    if path is not None:
        rows = _written(frame, path)
        return f"  batch frame: {rows:,} rows, {len(frame.columns)} columns in {path}"
    # As text, in Spark's zone (UTC): collected times would come in this machine's.
    texts = [
        F.concat(F.col(name).cast("string"), F.lit("Z")).alias(name) if type_ == "timestamp" else F.col(name)
        for name, type_ in frame.dtypes
    ]
    few = frame.select(*texts).limit(_SHOWN_ROWS).collect()
    header = ["column", *(f"row {number + 1}" for number in range(len(few)))]
    # A line per column: features are many, and a terminal is narrow.
    lines = [[name, *(_short(row[name]) for row in few)] for name in frame.columns]
    return "\n".join([table_text(header, lines), "", "  write all rows with --out FOLDER"])


def _written(frame: "DataFrame", path: str) -> int:
    """Replaces an earlier batch frame, and nothing else that lies there. The number of rows."""
    from lakehouse.storage_errors import translated_storage_errors
    from lakehouse.tables import names_in

    # Relative paths are this process's: the JVM may have been started in another folder.
    target = path if "://" in path else str(Path(path).absolute())
    others = [Path(target).name] if Path(target).is_file() else [n for n in names_in(target) if not _PARQUET.match(n)]
    if others:
        raise UsageError(f"--out {path}: '{others[0]}' is there already, and no batch frame; name a new folder.")
    with translated_storage_errors(path):
        frame.write.mode("overwrite").parquet(target)
    return frame.sparkSession.read.parquet(target).count()


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
    return "–" if value is None else str(value)


COMMANDS = (batch_frame,)
