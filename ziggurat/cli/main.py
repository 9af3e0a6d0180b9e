"""The `ziggurat` command: every command, and what its process ends with.

Every command reads: ziggurat COMMAND [what] [how]; `main` returns on success and exits otherwise.
"""

import sys
import traceback

import click

from definitions.errors import ZigguratError
from ziggurat.cli import batch_frames, catalogue_commands, first_steps, labels, layouts, online, runs, training_sets
from ziggurat.cli.options import CommandGroup


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
      ziggurat labels churn_30d                the rows to predict, with their outcomes
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


# In the order in which a newcomer meets them; `--help` lists them so.
for command in (
    *runs.COMMANDS,
    *catalogue_commands.COMMANDS[:2],
    first_steps.doctor,
    *labels.COMMANDS,
    *training_sets.COMMANDS,
    *batch_frames.COMMANDS,
    *layouts.COMMANDS,
    *online.COMMANDS,
    first_steps.init,
    catalogue_commands.lock,
    first_steps.demo,
):
    verbs.add_command(command)


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
        click.echo("stopped; what was published stays, and building again does the rest", err=True)
        sys.exit(130)
    except Exception as error:
        damage = _damage(error)
        if damage is None:
            traceback.print_exc()
            sys.exit(1)
        click.echo(f"error: {damage}", err=True)
        sys.exit(damage.exit_code)


def _damage(error: Exception) -> ZigguratError | None:
    """A damaged or unreadable file in one sentence; None for a bug."""
    if isinstance(error, PermissionError):
        from lakehouse.storage_errors import may_not_read

        return may_not_read(str(error.filename or error))
    if "pyspark" not in sys.modules:
        return None
    from lakehouse.damage import as_damage

    return as_damage(error)


def run() -> None:
    """For `python -m ziggurat` and run.py."""
    main()
