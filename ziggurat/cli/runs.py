"""Commands that run the pyramid, and how a run ended: build, backfill, retry, runs."""

import json
from typing import TYPE_CHECKING, Any

import click

from ziggurat.cli.options import CommandGroup, common, logging, selecting, workspace_of
from ziggurat.cli.terminal import JsonListener, table_text

if TYPE_CHECKING:
    from jobs.run.outcome import RunOutcome
    from ziggurat.workspace import Workspace


@click.command()
@click.option("--as-of", required=True, metavar="T", help="The instant to build: 2017-11-30, or 2017-11-30T06:00:00Z.")
@selecting
@click.option("--live", is_flag=True, help="Stamp the instant of publication, if it is later than T + publish_delay.")
@logging
@common
def build(as_of: str, select: tuple[str, ...], live: bool, log_format: str, **where: Any) -> None:
    """Build one as-of: ingest, compute, check, publish.

    Ingests what is newly delivered, computes every layer, and publishes what passes its gate.

    What is already published stays as it is, so building again after a failure, or by mistake, is safe.

    \b
    ziggurat build --as-of 2017-11-30
    ziggurat build --as-of 2017-11-30 --select household_spend+
    """
    workspace = workspace_of(**where, log_format=log_format)
    _conclude(workspace, workspace.build(as_of, select=select, live=live))


@click.command()
@click.option("--start", required=True, metavar="T", help="The first as-of.")
@click.option("--end", required=True, metavar="T", help="The last as-of, at most.")
@click.option("--every", default="1d", metavar="DURATION", help="The step between as-ofs, e.g. 7d, 1d or 12h.")
@selecting
@logging
@common
def backfill(start: str, end: str, every: str, select: tuple[str, ...], log_format: str, **where: Any) -> None:
    """Build a range of as-ofs in one plan over the data.

    \b
    ziggurat backfill --start 2017-04-02 --end 2017-11-26 --every 7d
    """
    workspace = workspace_of(**where, log_format=log_format)
    _conclude(workspace, workspace.backfill(start, end, every=every, select=select))


@click.command()
@click.option("--as-of", default="", metavar="T", help="The instant that would be built.")
@click.option("--start", default="", metavar="T", help="The first as-of of a range.")
@click.option("--end", default="", metavar="T", help="The last as-of, at most.")
@click.option("--every", default="1d", metavar="DURATION", help="The step between as-ofs, e.g. 7d, 1d or 12h.")
@selecting
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@common
def plan(as_of: str, start: str, end: str, every: str, select: tuple[str, ...], as_json: bool, **where: Any) -> None:
    """What a build would do now, step by step and why.

    Starts nothing and writes nothing.

    \b
    ziggurat plan --as-of 2017-11-30
    ziggurat plan --start 2017-04-02 --end 2017-11-26 --every 7d
    """
    from ziggurat.cli.plan_format import plan_text

    made = workspace_of(**where).plan(as_of, start=start, end=end, every=every, select=select)
    click.echo(json.dumps(made.to_json()) if as_json else plan_text(made))


@click.command()
@click.argument("run", required=False)
@logging
@common
def retry(run: str | None, log_format: str, **where: Any) -> None:
    """Run the steps again that the last failed RUN (or the one given) did not finish."""
    workspace = workspace_of(**where, log_format=log_format)
    outcome = workspace.retry(run)
    if outcome is None:
        workspace.listener.note("no run failed: nothing to retry")
        return
    _conclude(workspace, outcome)


@click.group(cls=CommandGroup)
def runs() -> None:
    """What ran, when, and how it ended."""


@runs.command("list")
@click.option("--limit", default=20, help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
@common
def runs_list(limit: int, as_json: bool, **where: Any) -> None:
    """Runs, newest first."""
    from jobs.run.history import runs as recorded_runs

    lines = recorded_runs(workspace_of(**where).context)[:limit]
    if as_json:
        for line in lines:
            click.echo(json.dumps(line, default=str))
    elif lines:
        click.echo(table_text(list(lines[0]), [list(line.values()) for line in lines]))
    else:
        click.echo("  nothing ran here yet; start with: ziggurat build --as-of …")


@runs.command("show")
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
@common
def runs_show(run: str | None, as_json: bool, **where: Any) -> None:
    """The steps of RUN (default: the newest), with rows, times and table versions."""
    from jobs.run.history import steps_of

    lines = steps_of(workspace_of(**where).context, run)
    if as_json:
        for line in lines:
            click.echo(json.dumps(line, default=str))
    else:
        click.echo(
            table_text(list(lines[0]), [list(line.values()) for line in lines]) if lines else "  no steps are recorded"
        )


def _conclude(workspace: "Workspace", outcome: "RunOutcome") -> None:
    """The last lines of a run, its report, and its error if it has one."""
    from jobs.run.report import write_report

    report = None if outcome.is_unchanged else write_report(workspace.context, outcome)
    if isinstance(workspace.listener, JsonListener):
        workspace.listener.write(run_fields(outcome, report))
    else:
        click.echo(run_line(outcome, report))
    if outcome.error is not None:
        raise outcome.error


def run_line(outcome: "RunOutcome", report: str | None) -> str:
    """How a run ended, for people: counts of its steps, its release, what is blocked and why."""
    from jobs.run.outcome import Status

    if outcome.is_unchanged:
        is_published = "is published" if len(outcome.as_of) == 1 else "are published"
        reason = f"{_as_of(outcome)} {is_published} and nothing new was delivered"
        line = f"  nothing to do: {reason} (release {outcome.release}); {outcome.seconds:.1f} s"
        return "\n".join([line, *(f"  {note}" for note in outcome.notes)])
    counts = {status: sum(1 for step in outcome.steps if step.status is status) for status in Status}
    steps = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    release = f"release {outcome.release}" if outcome.release else "no release"
    lines = [f"  run {outcome.run_id}, {_as_of(outcome)}: {steps}; {release}; {outcome.seconds:.1f} s"]
    blocked = [step for step in outcome.steps if step.status is Status.BLOCKED]
    lines += [f"  {step.table} is blocked: {step.message}" for step in blocked]
    others = {str(step.error): step.table for step in outcome.steps if step.error is not None}
    lines += [f"  {table}: {text}" for text, table in others.items() if text != str(outcome.error)]
    lines += [f"  {note}" for note in outcome.notes]
    if outcome.error is not None:
        lines.append("  run the unfinished steps with: ziggurat retry")
    if report:
        lines.append(f"  report: {report}")
    return "\n".join(lines)


def run_fields(outcome: "RunOutcome", report: str | None) -> dict[str, Any]:
    """The same as one record for machines."""
    return {
        "event": "run",
        "run_id": outcome.run_id,
        "step": None,
        "parent": None,
        "command": outcome.command,
        "as_of": outcome.as_of,
        "seconds": round(outcome.seconds, 1),
        "release": outcome.release,
        "unchanged": outcome.is_unchanged,
        "notes": list(outcome.notes),
        "error": str(outcome.error) if outcome.error else None,
        "report": report,
    }


def _as_of(outcome: "RunOutcome") -> str:
    names = outcome.as_of
    return f"as of {names[0]}" if len(names) == 1 else f"{len(names)} as-ofs from {names[0]} to {names[-1]}"


COMMANDS = (plan, build, backfill, retry, runs)
