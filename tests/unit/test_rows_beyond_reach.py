"""Which sources tell that a row asks for more than had arrived, and from when on (D61)."""

import pytest

from definitions.durations import instant_us
from definitions.errors import LabelTimeError, UsageError
from definitions.registry import key_of, load
from jobs.inputs.reach import Reach, instant_beyond, parse_beyond_reach, reaches, refuse_beyond
from jobs.run.published import PublishedState
from lakehouse.ledger.records import PUBLISHED, SliceRecord
from lakehouse.ledger.state import LedgerState
from lakehouse.table_state import RawState, TableState

NEWEST = instant_us("2017-12-25T05:00:00Z")


@pytest.fixture
def found() -> dict[str, Reach]:
    """Of what the shipped exposures read: transactions with their promotions, products and campaigns."""
    registry, published = load(), PublishedState(LedgerState())
    names = ("transactions", "promotions", "campaign_descriptions", "products")
    sources = [registry.get(name) for name in names]
    state = TableState(raw=RawState(loaded_at_us=NEWEST + 10**15, newest_event_us=NEWEST))
    published.add(SliceRecord(key_of(source), "a", PUBLISHED, 1, table_version=0, state=state) for source in sources)
    views = [registry.get("basket_lines"), registry.get("campaign_descriptions"), registry.get("coupon_redemptions")]
    return {reach.source.split("/")[1]: reach for reach in reaches(views, published, may_lag="1d")}


def test_sources_of_events_tell_it_a_day_late_and_a_week_that_is_known_at_its_start_at_its_end(
    found: dict[str, Reach],
) -> None:
    """States and static sources do not, nor does one of which nothing was loaded."""
    assert {name: reach.quiet_until_us for name, reach in found.items()} == {
        "promotions": instant_us("2018-01-02T05:00:00Z"),
        "transactions": instant_us("2017-12-26T05:00:00Z"),
    }
    assert {reach.reach_us for reach in found.values()} == {NEWEST}


def test_an_instant_is_beyond_from_the_next_microsecond_on(found: dict[str, Reach]) -> None:
    at = instant_us("2017-12-26T05:00:00Z")
    assert instant_beyond(at, found.values()) == ()
    (message,) = instant_beyond(at + 1, found.values())
    assert message == (
        "raw/transactions/v1 reaches 2017-12-25T05:00:00Z, and all rows ask for a time more than 1d after that: what "
        "happened since then is not in them"
    )
    refuse_beyond((), "the spine")
    with pytest.raises(LabelTimeError, match=r"^the spine: raw/transactions.*--beyond-reach warn\.$"):
        refuse_beyond([message], "the spine")


def test_another_word_is_refused() -> None:
    with pytest.raises(UsageError, match=r"beyond_reach 'refuze' is unknown\. Did you mean 'refuse'"):
        parse_beyond_reach("refuze")
