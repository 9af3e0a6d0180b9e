"""The command `labels`, and what a derived spine looks like on a terminal."""

from typing import TYPE_CHECKING, Any

import click

from definitions.durations import instant_text
from ziggurat.cli.options import beyond_the_reach, common, workspace_of

if TYPE_CHECKING:
    from jobs.spines.labels import LabelOutcome


@click.command()
@click.argument("label")
@click.option("--start", default="", metavar="T", help="The first label time; default: the label's own.")
@click.option("--end", default="", metavar="T", help="The last label time; default: the newest event.")
@beyond_the_reach
@common
def labels(label: str, start: str, end: str, beyond_reach: str, **where: Any) -> None:
    """Derive the spine of LABEL: entities, label times and outcomes.

    It holds the entities that were seen before each label time. Where the data end before the horizon is over,
    the label is null, never "no".

    \b
    ziggurat labels churn_30d --start 2017-04-03
    """
    outcome = workspace_of(**where).labels(label, start=start, end=end, beyond_reach=beyond_reach)
    click.echo(label_text(outcome))


def label_text(outcome: "LabelOutcome") -> str:
    label = outcome.label
    known = outcome.rows - outcome.unknown
    share = f"{outcome.positives / known:.1%} of those known" if known else "nothing known"
    lines = [
        f"  label {label.name}: {outcome.rows:,} rows at {outcome.label_times:,} label times"
        + (f", {instant_text(outcome.first_us)} to {instant_text(outcome.last_us)}" if outcome.rows else ""),
        f"  {label.column}: {outcome.positives:,} yes ({share}), {outcome.unknown:,} unknown: "
        f"the data end before {label.horizon} are over",
    ]
    if outcome.reach_us is not None:
        lines.append(f"  the facts of {label.source.name} reach {instant_text(outcome.reach_us)}")
    if outcome.not_seen:
        lines.append(f"  {outcome.not_seen:,} left out: not seen before their label time")
    lines += [f"  warning: {text}" for text in outcome.warnings]
    how = "unchanged" if outcome.is_unchanged else "written"
    return "\n".join([*lines, f"  spines/{label.name}, version {outcome.version}, {how}; {outcome.seconds:.1f} s"])


COMMANDS = (labels,)
