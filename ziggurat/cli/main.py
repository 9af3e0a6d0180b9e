"""The `ziggurat` command.

Every verb reads: ziggurat VERB [what] [how]; `main` returns on success and exits otherwise.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from definitions.errors import ZigguratError
from ziggurat.cli import labels as model_verbs
from ziggurat.cli import layouts as layout_verbs
from ziggurat.cli import online as online_verbs
from ziggurat.cli.options import CommandGroup, common, logging, selecting, workspace_of

if TYPE_CHECKING:
    from jobs.run.outcome import RunOutcome
    from ziggurat.workspace import Workspace


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ziggurat-features", message="ziggurat %(version)s")
def verbs() -> None:
    """Features declared once, computed in layers, checked before they are published.

    \b
    First steps:
      ziggurat doctor                          can this machine run it?
      ziggurat list                            what is declared
      ziggurat plan --as-of 2017-11-30         what a build would do, step by step; starts nothing
      ziggurat build --as-of 2017-11-30        build everything as of that midnight (UTC)
      ziggurat describe household_spend        what a view means, column by column
      ziggurat labels churn_30d                what shall be predicted, as an honest spine
      ziggurat training-set --service churn_v1 --spine churn_30d --out churn
      ziggurat export --as-of 2017-11-30       to the online store
      ziggurat get household_id=22 --service churn_v1
      ziggurat init my_features                start a project of your own

    \b
    An as-of T is a day (its midnight in UTC) or an instant with a zone. The snapshot of T holds what happened before T.
    Exit codes: 0 done; 2 usage; 10-12 definitions; 20-26 sources; 30 gate failed; 31 could not check; 32 not released;
    33, 39 not certified; 34-38 spines; 40-45 storage; 50-53 this machine; 60 configuration; 70-74 online store;
    1 a bug (with its traceback). See docs/errors.md.
    """


@verbs.command()
@click.option("--as-of", required=True, metavar="T", help="The instant to build: 2017-11-30, or 2017-11-30T06:00:00Z.")
@selecting
@click.option("--live", is_flag=True, help="Stamp the instant of publication, if it is later than T + publish_delay.")
@logging
@common
def build(as_of: str, select: tuple[str, ...], live: bool, log_format: str, **where: Any) -> None:
    """Build one as-of: ingest, compute, check, publish.

    Ingests what is newly delivered, computes every layer, and publishes what passes its gate.

    What is published already is left alone, so building again after a failure, or by mistake, is safe.

    \b
    ziggurat build --as-of 2017-11-30
    ziggurat build --as-of 2017-11-30 --select household_spend+
    """
    workspace = workspace_of(**where, log_format=log_format)
    _conclude(workspace, workspace.build(as_of, select=select, live=live), log_format)


@verbs.command()
@click.option("--start", required=True, metavar="T", help="The first as-of.")
@click.option("--end", required=True, metavar="T", help="The last as-of, at most.")
@click.option("--every", default="1d", metavar="1d|7d", help="The step between as-ofs.")
@selecting
@logging
@common
def backfill(start: str, end: str, every: str, select: tuple[str, ...], log_format: str, **where: Any) -> None:
    """Build a range of as-ofs in one plan over the data.

    \b
    ziggurat backfill --start 2017-04-02 --end 2017-11-26 --every 7d
    """
    workspace = workspace_of(**where, log_format=log_format)
    _conclude(workspace, workspace.backfill(start, end, every=every, select=select), log_format)


@verbs.command()
@click.option("--as-of", default="", metavar="T", help="The instant that would be built.")
@click.option("--start", default="", metavar="T", help="The first as-of of a range.")
@click.option("--end", default="", metavar="T", help="The last as-of, at most.")
@click.option("--every", default="1d", metavar="1d|7d", help="The step between as-ofs.")
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


@verbs.command()
@click.argument("run", required=False)
@logging
@common
def retry(run: str | None, log_format: str, **where: Any) -> None:
    """Take up what the last failed RUN left undone."""
    workspace = workspace_of(**where, log_format=log_format)
    outcome = workspace.retry(run)
    if outcome is None:
        click.echo("  no run failed: nothing to take up")
        return
    _conclude(workspace, outcome, log_format)


@verbs.group(cls=CommandGroup)
def runs() -> None:
    """What ran, when, and how it ended."""


@runs.command("list")
@click.option("--limit", default=20, help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
@common
def runs_list(limit: int, as_json: bool, **where: Any) -> None:
    """Runs, newest first."""
    from jobs.run.history import runs as recorded
    from ziggurat.cli.terminal import table_text

    lines = recorded(workspace_of(**where).context)[:limit]
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
    from ziggurat.cli.terminal import table_text

    lines = steps_of(workspace_of(**where).context, run)
    if as_json:
        for line in lines:
            click.echo(json.dumps(line, default=str))
    else:
        click.echo(
            table_text(list(lines[0]), [list(line.values()) for line in lines]) if lines else "  no steps are recorded"
        )


@verbs.command("list")
@common
def list_views(**where: Any) -> None:
    """Every source and view that is declared, layer by layer; then services and labels."""
    from ziggurat.cli.catalogue import models, overview
    from ziggurat.cli.terminal import table_text

    registry = workspace_of(**where).registry
    header, views = overview(registry)
    click.echo(table_text(header, [*views, *models(registry)]))


@verbs.command()
@click.argument("name")
@common
def describe(name: str, **where: Any) -> None:
    """What a view, source, service or label means: grain, clocks, every column."""
    from ziggurat.cli.catalogue import described

    click.echo(described(workspace_of(**where).registry, name))


@verbs.command()
@common
def doctor(**where: Any) -> None:
    """Can this machine run it? If not, says the fix.

    Looks at Java, Spark, Delta, disk, names and settings (with the origin of each)."""
    from ziggurat.cli.doctor import examine

    click.echo(examine(**where))


for verb in (*model_verbs.COMMANDS, *layout_verbs.COMMANDS, *online_verbs.COMMANDS):
    verbs.add_command(verb)


@verbs.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a starter project of your own into FOLDER."""
    from ziggurat.cli.starter_project import write_starter

    click.echo(write_starter(folder))


@verbs.command()
@common
def lock(**where: Any) -> None:
    """Write the lock file of published meanings."""
    from definitions.versions import lock_path, lock_text

    registry = workspace_of(**where).registry
    lock_path(registry).write_text(lock_text(registry), "utf-8")
    click.echo(f"  {lock_path(registry)}: {len(registry.definitions)} definitions")


@verbs.command()
@common
def demo(**where: Any) -> None:
    """Build a year of real groceries, and show it."""
    from ziggurat.cli.demo.demo import run_demo

    run_demo(workspace_of(**where))


def _conclude(workspace: "Workspace", outcome: "RunOutcome", log_format: str) -> None:
    """The last lines of a run, its report, and its error if it has one."""
    from jobs.run.report import write_report
    from ziggurat.cli.summary import run_fields, run_line

    report = None if outcome.is_unchanged else write_report(workspace.context, outcome)
    if log_format == "json":
        click.echo(json.dumps(run_fields(outcome, report), default=str))
    else:
        click.echo(run_line(outcome, report))
    if outcome.error is not None:
        raise outcome.error


def main(argv: list[str] | None = None) -> None:
    """Returns when all went well (a SystemExit(0) would fail a Databricks task); otherwise says why and exits."""
    try:
        verbs.main(args=argv, prog_name="ziggurat", standalone_mode=False)
    except ZigguratError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was published stays, and building again takes up the rest", err=True)
        sys.exit(130)
    except Exception:
        traceback.print_exc()
        sys.exit(1)


def run() -> None:
    """For `python -m ziggurat` and run.py."""
    main()
