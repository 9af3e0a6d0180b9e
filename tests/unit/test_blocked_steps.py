"""A step is blocked by what it reads, and by nothing else that failed (S13)."""

from definitions.durations import instant_us
from definitions.registry import key_of, load
from jobs.build.kinds import blocked_step
from jobs.build.plan import Action, UpstreamEnd
from jobs.run.request import Request

REQUEST = Request(command="build", as_ofs_us=(instant_us("2017-11-30"),))


def test_a_failed_view_blocks_its_readers_and_no_other() -> None:
    registry = load()
    ends = {key: UpstreamEnd() for key in registry.by_key}
    ends[key_of(registry.get("household_spend"))] = UpstreamEnd(failure="failed")
    blocked = {
        definition.name: step.reason
        for definition in registry.definitions
        if (step := blocked_step(definition, REQUEST, ends)) is not None and step.action is Action.BLOCKED
    }
    assert blocked == {"household_vs_cohort": "aggregate/household_spend/v1 failed"}
