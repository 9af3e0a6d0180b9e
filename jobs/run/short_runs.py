"""Commands that end within a minute or so (labels, training sets, layouts, export), recorded in the ledger as runs."""

import contextlib
import time
from collections.abc import Iterator

from definitions.errors import DefinitionError, NotReleased, SpineError, UsageError
from jobs.run.context import Context
from jobs.run.outcome import Status, StepOutcome
from jobs.run.recording import step_record
from lakehouse.ledger.ledger import Ledger
from lakehouse.ledger.records import Run
from lakehouse.storage_errors import LeaseHeld

# A request that can't be carried out as it stands: nothing ran, and nothing is recorded, as with a build.
REFUSALS = (UsageError, DefinitionError, NotReleased, SpineError, LeaseHeld)


class ShortRun:
    """One command while it works: `context` is bound to it, `steps` grow. `recorded` makes it and ends it."""

    def __init__(self, context: Context, command: str) -> None:
        detail = {"command": command} | ({"parent": context.run_id} if context.run_id else {})
        self.run = Run(context.new_run_id(), command.partition(" ")[0], detail)
        self.context = context.in_run(self.run.run_id)
        self.steps: list[StepOutcome] = []

    @property
    def run_id(self) -> str:
        return self.run.run_id

    @contextlib.contextmanager
    def step(self, table: str) -> Iterator[None]:
        """Around the work on one table, once its lease is held: a failure in it is recorded, a refusal is not."""
        begun = time.monotonic()
        self.context.listener.begun(table)
        try:
            yield
        except REFUSALS:
            raise
        except BaseException as error:  # KeyboardInterrupt too: the run was stopped
            message = (str(error).splitlines() or [type(error).__name__])[0]
            seconds = time.monotonic() - begun
            self.ended(StepOutcome(table=table, status=Status.FAILED, seconds=seconds, message=message))
            raise
        finally:
            self.context.listener.idle(table)

    def ended(self, step: StepOutcome) -> None:
        self.steps.append(step)

    @property
    def status(self) -> str:
        return "failed" if any(step.status is Status.FAILED for step in self.steps) else "ended"


@contextlib.contextmanager
def recorded(context: Context, command: str) -> Iterator[ShortRun]:
    """Record the run in one append when it ends, with all its steps, whether it succeeded or failed.

    Nothing is recorded of a command whose steps are all unchanged (S28), or that was refused.
    A killed one is recorded as killed by the next command that opens the ledger (`Ledger.begin`).
    """
    short = ShortRun(context, command)
    ledger = Ledger.open(context.spark, context.warehouse)
    ledger.begin(short.run)
    try:
        yield short
    except BaseException:
        with contextlib.suppress(Exception):  # the command's own error is the one to report
            _end(ledger, short)
        raise
    _end(ledger, short)


def _end(ledger: Ledger, short: ShortRun) -> None:
    if all(step.status is Status.UNCHANGED for step in short.steps):
        ledger.drop(short.run)
    else:
        ledger.finish(short.run, steps=[step_record(step) for step in short.steps], status=short.status)
