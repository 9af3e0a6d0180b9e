"""Verbs between the pyramid and a model: labels and batch frames; training sets have a module of their own."""

from typing import Any

import click

from ziggurat.cli import training_set_versions as training_set_version_verbs
from ziggurat.cli.options import common, workspace_of
from ziggurat.cli.training_sets import mapped_keys, training_set

_service = click.option("--service", required=True, metavar="NAME", help="The feature service, e.g. churn_v1.")


@click.command()
@click.argument("label")
@click.option("--start", default="", metavar="T", help="The first label time; default: the label's own.")
@click.option("--end", default="", metavar="T", help="The last label time; default: the newest event.")
@common
def labels(label: str, start: str, end: str, **where: Any) -> None:
    """Derive the spine of LABEL: who, when, and what came of it.

    Only those seen before each label time are in it. A label that the end of the data cuts off is null, never "no".

    \b
    ziggurat labels churn_30d --start 2017-04-03
    """
    from ziggurat.cli.model_format import label_text

    click.echo(label_text(workspace_of(**where).labels(label, start=start, end=end)))


@click.command("batch-frame")
@_service
@click.option("--as-of", required=True, metavar="T", help="The as-of whose snapshots are scored.")
@click.option("--entities", metavar="FILE_OR_TABLE", help="Only these: join keys. Default: all that were seen.")
@click.option("--out", "path", metavar="FOLDER", help="Where to write parquet; default: show the first rows.")
@mapped_keys
@common
def batch_frame(
    service: str, as_of: str, entities: str | None, path: str | None, keys: tuple[str, ...], **where: Any
) -> None:
    """The newest known features of all entities, in the service's column order, to be scored.

    \b
    ziggurat batch-frame --service churn_v1 --as-of 2017-11-30 --out to_score
    """
    from jobs.spines.spine import parsed_keys
    from ziggurat.cli.model_format import batch_frame_text

    workspace = workspace_of(**where)
    known = [key for key, _ in workspace.registry.service(service).keys]
    frame = workspace.batch_frame(service, as_of=as_of, entities=entities, keys=parsed_keys(keys, known))
    click.echo(batch_frame_text(frame, path))


for verb in training_set_version_verbs.COMMANDS:
    training_set.add_command(verb)

COMMANDS = (labels, training_set, batch_frame)
