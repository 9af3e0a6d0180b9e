"""An impossible definition is refused where it is written, with its name and what to do."""

from typing import Any

import pytest

from definitions import model
from definitions.aggregations import Aggregation
from definitions.errors import DefinitionError, UnknownName
from definitions.types import check_type
from definitions.versions import fingerprints
from ziggurat.model import (
    ANY_TRUE,
    LIFETIME,
    AggregateView,
    AvailableColumn,
    Column,
    CrossEntityView,
    DerivedView,
    Entity,
    EventTime,
    Grain,
    Group,
    Kind,
    LandingDelay,
    Source,
    column,
    count,
    count_distinct,
    deviation,
    difference_to_mean,
    expression,
    first,
    last,
    lookup,
    maximum,
    mean,
    members,
    minimum,
    percentile_rank,
    rank,
    ratio_to_mean,
    share_of_total,
    sum_of,
)

PERSON = Entity("person", keys=(("id", "bigint"),))
COLUMNS = (
    Column("id", "bigint"),
    Column("price", "double"),
    Column("name", "string"),
    Column("is_open", "boolean"),
    Column("day", "date"),
    Column("at", "timestamp"),
)


def source(**changed: Any) -> Source:
    declared: dict[str, Any] = {
        "name": "lines",
        "kind": Kind.EVENTS,
        "version": 1,
        "owner": "tests",
        "columns": COLUMNS,
        "event_time": EventTime("at"),
        "available": LandingDelay("4h"),
    }
    return Source(**declared | changed)


def static(*columns: Column, key: str = "bigint", **changed: Any) -> Source:
    unclocked = {"kind": Kind.STATIC, "event_time": None, "available": None, "identity": ("id",)}
    return source(name="people", columns=(Column("id", key), *columns), **unclocked | changed)


def derived(**changed: Any) -> DerivedView:
    declared: dict[str, Any] = {
        "source": source(),
        "version": 1,
        "owner": "tests",
        "features": (expression("is_dear", "price > 9"),),
    }
    return DerivedView(changed.pop("name", "rows"), **declared | changed)


def aggregate(*features: Any, **changed: Any) -> AggregateView:
    declared: dict[str, Any] = {
        "entity": PERSON,
        "source": source(),
        "version": 1,
        "owner": "tests",
        "windows": ("7d",),
        "features": features or (count(named="lines"),),
    }
    return AggregateView("spend", **declared | changed)


def cross(*features: Any, **changed: Any) -> CrossEntityView:
    declared: dict[str, Any] = {
        "entity": PERSON,
        "of": aggregate(sum_of("price", quantum="0.01"), last("name"), mean("price", quantum="0.01")),
        "version": 1,
        "owner": "tests",
        "features": features or (members(),),
    }
    return CrossEntityView("beside", **declared | changed)


REFUSED = {
    # what is refused: (how it is declared, the error, its message: where, what was found, what to do)
    "entity without keys": (lambda: Entity("e", ()), DefinitionError, "entity 'e' has no join key; give at least one"),
    "entity with a float key": (
        lambda: Entity("e", (("x", "double"),)),
        DefinitionError,
        "entity 'e': key 'x' is a double; float keys are refused (S17), use bigint or string",
    ),
    "entity with a bad name": (
        lambda: Entity("My Entity", (("x", "bigint"),)),
        DefinitionError,
        "entity: 'My Entity' is not a name; use small letters",
    ),
    "unknown type": (
        lambda: Column("x", "varchar"),
        DefinitionError,
        "column 'x': type 'varchar' is unknown; use boolean, int",
    ),
    "decimal of too many digits": (
        lambda: Column("x", "decimal(39,2)"),
        DefinitionError,
        "column 'x': 'decimal(39,2)' needs 1 to 38 digits",
    ),
    "decimal of more decimals than digits": (
        lambda: Column("x", "decimal(2,3)"),
        DefinitionError,
        "'decimal(2,3)' needs 1 to 38 digits and no more decimals than digits",
    ),
    "reserved column": (
        lambda: Column("event_time", "timestamp"),
        DefinitionError,
        "column 'event_time' has a name that Ziggurat writes itself; rename it with delivered='event_time'",
    ),
    "column in an unknown zone": (
        lambda: Column("x", "timestamp", zone="America/NewYork"),
        UnknownName,
        "column 'x': zone 'America/NewYork' is unknown. Did you mean 'America/New_York'?",
    ),
    "event time in an unknown zone": (
        lambda: EventTime("day", grain=Grain.DAY, zone="Mars/Olympus"),
        UnknownName,
        "event time 'day': zone 'Mars/Olympus' is unknown",
    ),
    "a day without a zone": (
        lambda: EventTime("day", grain=Grain.DAY),
        DefinitionError,
        "event time 'day' is a day: say in which zone it begins, e.g. zone='America/New_York' (S6)",
    ),
    "a delay that is none": (
        lambda: LandingDelay("soon"),
        DefinitionError,
        "landing delay: 'soon' is not a duration; write",
    ),
    "trust until no instant": (
        lambda: LandingDelay("4h", first_load_until="2018"),
        DefinitionError,
        "first_load_until: '2018' is not an instant; write",
    ),
    "source: column twice": (
        lambda: source(columns=(*COLUMNS, Column("id", "string"))),
        DefinitionError,
        "source 'lines': column 'id' is declared twice",
    ),
    "source without a clock": (
        lambda: source(event_time=None),
        DefinitionError,
        "source 'lines' has no event_time; declare one, or kind=STATIC if it truly has no time (S10)",
    ),
    "source that does not say when it was known": (
        lambda: source(available=None),
        DefinitionError,
        "source 'lines' does not say when its facts were known; declare available=LandingDelay(…)",
    ),
    "static source with a clock": (
        lambda: source(kind=Kind.STATIC),
        DefinitionError,
        "source 'lines' is static but declares a clock; make it state or events (S10)",
    ),
    "event time that is no column": (
        lambda: source(event_time=EventTime("att")),
        UnknownName,
        "source 'lines': event time 'att' is not a column. Did you mean 'at'?",
    ),
    "event time of another type": (
        lambda: source(event_time=EventTime("day")),
        DefinitionError,
        "source 'lines': event time 'day' is a date; with grain instant it must be a timestamp",
    ),
    "coarse event time of another type": (
        lambda: source(event_time=EventTime("at", grain=Grain.WEEK, zone="UTC")),
        DefinitionError,
        "event time 'at' is a timestamp; with grain week it must be a date",
    ),
    "available column that is no column": (
        lambda: source(available=AvailableColumn("told")),
        UnknownName,
        "source 'lines': available column 'told' is not a column.",
    ),
    "available column of another type": (
        lambda: source(available=AvailableColumn("day")),
        DefinitionError,
        "source 'lines': available column 'day' is a date; it must be a timestamp (S5)",
    ),
    "identity that is no column": (
        lambda: source(identity=("nam",)),
        UnknownName,
        "source 'lines': 'nam' is not one of its columns. Did you mean 'name'?",
    ),
    "tombstone of events": (
        lambda: source(tombstone="is_open"),
        DefinitionError,
        "source 'lines': only a state source can have a tombstone; this one is events (S8)",
    ),
    "retraction that is no boolean": (
        lambda: source(retraction="name"),
        DefinitionError,
        "source 'lines': 'name' marks versions; it is string, make it boolean",
    ),
    "computed column of another type": (
        lambda: source(columns=(*COLUMNS, Column("twice", "bigint", computed="price * 2"))).computed,
        DefinitionError,
        "source 'lines': computed column 'twice' is declared bigint but its expression gives double",
    ),
    "history start that is none": (
        lambda: source(history_start="long ago").history_start_us,
        DefinitionError,
        "'long ago' is not an instant",
    ),
    "derived from a static source": (
        lambda: derived(source=static()),
        DefinitionError,
        "view 'rows' v1: its source 'people' is static; a derived view needs a source with a clock (S10)",
    ),
    "derived, but nothing is": (
        lambda: derived(features=()),
        DefinitionError,
        "view 'rows' v1 adds nothing to 'lines'; give it features or lookups, or use the source itself",
    ),
    "look-up of an unknown column": (
        lambda: derived(lookups=(lookup(static(Column("age", "int")), on=("id",), take=("ages",)),)),
        UnknownName,
        "view 'rows' v1: 'ages' is not a column of 'people'. Did you mean 'age'?",
    ),
    "look-up by a key of another": (
        lambda: derived(lookups=(lookup(static(Column("age", "int")), on=("age",), take=("age",)),)),
        UnknownName,
        "view 'rows' v1: look-up key 'age' is not a column of 'lines'",
    ),
    "look-up by a key of another type": (
        lambda: derived(
            lookups=(lookup(static(Column("name", "int"), Column("age", "int")), on=("name",), take=("age",)),)
        ),
        DefinitionError,
        "view 'rows' v1: look-up key 'name' is string here and int in 'people'",
    ),
    "look-up without a key": (
        lambda: derived(lookups=(lookup(static(Column("age", "int")), on=(), take=("age",)),)),
        DefinitionError,
        "view 'rows' v1: the look-up of 'people' has no key; give on=('…',)",
    ),
    "look-up of a column that is there": (
        lambda: derived(lookups=(lookup(static(Column("price", "double")), on=("id",), take=("price",)),)),
        DefinitionError,
        "view 'rows' v1: two columns would be called 'price'; don't take it from 'people'",
    ),
    "any true of what is no boolean": (
        lambda: derived(
            lookups=(lookup(static(Column("age", "int")), on=("id",), take=("age",), duplicates=ANY_TRUE),)
        ),
        DefinitionError,
        "view 'rows' v1: duplicates=ANY_TRUE takes booleans only, from 'people'",
    ),
    "expression over an unknown column": (
        lambda: derived(features=(expression("x", "prise * 2"),)),
        UnknownName,
        "view 'rows' v1, feature 'x': there is no column 'prise' (names are case-sensitive). Did you mean 'price'?",
    ),
    "expression named like a column": (
        lambda: derived(features=(expression("price", "price * 2"),)),
        DefinitionError,
        "view 'rows' v1: two columns would be called 'price'; give one of them another name",
    ),
    "feature named like a clock": (
        lambda: derived(features=(expression("known_at", "price * 2"),)),
        DefinitionError,
        "two columns would be called 'known_at'",
    ),
    "view with a bad name": (lambda: derived(name="Rows"), DefinitionError, "view: 'Rows' is not a name"),
    "aggregate of an entity that is not there": (
        lambda: aggregate(entity=Entity("shop", keys=(("shop_id", "bigint"),))),
        DefinitionError,
        "view 'spend' v1: join key 'shop_id' is bigint in entity 'shop' but missing in 'lines'",
    ),
    "aggregate by a key of another type": (
        lambda: aggregate(entity=Entity("person", keys=(("id", "string"),))),
        DefinitionError,
        "join key 'id' is string in entity 'person' but bigint in 'lines'",
    ),
    "aggregate of a static source": (
        lambda: aggregate(source=static(Column("price", "double"))),
        DefinitionError,
        "view 'spend' v1: its source 'people' is static; windows need a clock (S10)",
    ),
    "aggregate without features": (
        lambda: aggregate(features=()),
        DefinitionError,
        "view 'spend' v1 declares no feature to publish; add one",
    ),
    "aggregate with hidden features only": (
        lambda: aggregate(count(named="lines", hidden=True)),
        DefinitionError,
        "view 'spend' v1 declares no feature to publish",
    ),
    "aggregate without a window": (
        lambda: aggregate(windows=()),
        DefinitionError,
        "view 'spend' v1, feature 'lines_count' has no window; give the view or the feature windows=",
    ),
    "aggregate with a window that is none": (
        lambda: aggregate(windows=("week",)),
        DefinitionError,
        "window: 'week' is not a duration",
    ),
    "one name twice": (
        lambda: aggregate(sum_of("price", quantum="0.01"), sum_of("price", quantum="0.1")),
        DefinitionError,
        "view 'spend' v1: two columns would be called 'price_sum_7d'; give one of them another name with named=…",
    ),
    "aggregate of nothing": (
        lambda: aggregate(sum_of(named="x")),
        DefinitionError,
        "view 'spend' v1, feature 'x_sum': sum needs an input column",
    ),
    "count without a name": (
        lambda: aggregate(count()),
        DefinitionError,
        "view 'spend' v1: count of '' needs a name; add named='…'",
    ),
    "aggregate of an expression without a name": (
        lambda: aggregate(sum_of("price * 2", quantum="0.01")),
        DefinitionError,
        "view 'spend' v1: sum of 'price * 2' needs a name; add named='…'",
    ),
    "sum of doubles without a quantum": (
        lambda: aggregate(sum_of("price")),
        DefinitionError,
        "view 'spend' v1, feature 'price_sum': sum of double needs a quantum to be reproducible (S24); add e.g.",
    ),
    "sum of text": (
        lambda: aggregate(sum_of("name")),
        DefinitionError,
        "view 'spend' v1, feature 'name_sum': sum needs numbers, found string",
    ),
    "quantum that is no power of ten": (
        lambda: aggregate(sum_of("price", quantum="0.05")),
        DefinitionError,
        "feature 'price_sum': quantum '0.05' must be 1 or a power of ten below it",
    ),
    "quantum that is nothing": (
        lambda: aggregate(sum_of("price", quantum="0")),
        DefinitionError,
        "quantum '0' must be 1 or a power of ten",
    ),
    "quantum that is no number": (
        lambda: aggregate(sum_of("price", quantum="cents")),
        DefinitionError,
        "quantum 'cents' must be 1 or a power of ten",
    ),
    "filter that is no boolean": (
        lambda: aggregate(count(named="x", where="price + 1")),
        DefinitionError,
        "view 'spend' v1, feature 'x_count': where='price + 1' is double; a filter must be boolean",
    ),
    "filter over an unknown column": (
        lambda: aggregate(count(named="x", where="prise > 1")),
        UnknownName,
        "view 'spend' v1, feature 'x_count', where: there is no column 'prise'",
    ),
    "expression over a feature declared below": (
        lambda: aggregate(count(named="lines"), expression("b", "a + 1"), expression("a", "lines_count_7d + 1")),
        UnknownName,
        "view 'spend' v1, feature 'b': there is no column 'a'",
    ),
    "published before its cut": (
        lambda: aggregate(cut_delay="4h", publish_delay="3h"),
        DefinitionError,
        "view 'spend' v1: publish_delay 3h is shorter than cut_delay 4h; it can't be published before its cut (S11)",
    ),
    "compared with another entity": (
        lambda: cross(entity=Entity("shop", keys=(("id", "bigint"),))),
        DefinitionError,
        "view 'beside' v1: its entity is 'shop' but 'spend' describes 'person'",
    ),
    "grouped by facts with a clock": (
        lambda: Group(source(), by=("name",)),
        DefinitionError,
        "group by 'lines': only static sources can give membership; this one is events (S26)",
    ),
    "grouped by an unknown column": (
        lambda: Group(static(), by=("town",)),
        UnknownName,
        "group: 'town' is not a column of 'people'",
    ),
    "grouped by nothing's column": (
        lambda: Group(by=("town",)),
        UnknownName,
        "group: 'town' is not a column of 'nothing'",
    ),
    "grouped by a source without the key": (
        lambda: cross(group=Group(static(Column("town", "string"), key="string"), by=("town",))),
        DefinitionError,
        "view 'beside' v1: group source 'people' has no key 'id' of type bigint",
    ),
    "grouped into several groups at once": (
        lambda: cross(group=Group(static(Column("town", "string"), identity=("id", "town")), by=("town",))),
        DefinitionError,
        "view 'beside' v1: 'people' can put one person into several groups; a group source's identity must be",
    ),
    "comparison of an unknown feature": (
        lambda: cross(rank("price_sum_30d")),
        UnknownName,
        "view 'beside' v1: 'price_sum_30d' is not a feature of the view it compares. Did you mean 'price_sum_7d'?",
    ),
    "comparison of text": (
        lambda: cross(rank("name_last_7d")),
        DefinitionError,
        "view 'beside' v1, feature 'name_last_7d_rank': rank needs numbers, found string",
    ),
    "mean of unrounded doubles": (
        lambda: cross(ratio_to_mean("price_max_7d"), of=aggregate(maximum("price"))),
        DefinitionError,
        "view 'beside' v1, feature 'price_max_7d_ratio_to_mean': a mean of doubles needs a quantum",
    ),
    "comparison without features": (
        lambda: cross(features=()),
        DefinitionError,
        "view 'beside' v1 declares no feature to publish; add one, e.g. members()",
    ),
    "comparison twice": (
        lambda: cross(members(), members()),
        DefinitionError,
        "view 'beside' v1: two columns would be called 'members'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_impossible_definition_is_refused_with_its_message(case: str) -> None:
    declare, error, message = REFUSED[case]
    with pytest.raises(DefinitionError) as refused:
        declare()
    assert type(refused.value) is error
    assert message in str(refused.value)
    assert str(refused.value).endswith((".", "?", ";", " .")) or "Found:" in str(refused.value)


def test_possible_definitions_stand() -> None:
    for declare in (source, static, derived, aggregate, cross):
        assert fingerprints(declare())
    check_type("decimal(38,38)", "here")


def test_names_are_input_operation_and_window() -> None:
    view = aggregate(
        sum_of("price", quantum="0.01", windows=("7d", "30d", LIFETIME)),
        mean("price", named="paid", quantum="0.01"),
        minimum("at"),
        first("name"),
        deviation("price", quantum="1"),
        count_distinct("name"),
        expression("trend", "try_divide(price_sum_7d, price_sum_30d)"),
    )
    assert {f.name: f.type for f in view.published} == {
        "price_sum_7d": "double",
        "price_sum_30d": "double",
        "price_sum_lifetime": "double",
        "paid_mean_7d": "double",
        "at_min_7d": "timestamp",
        "name_first_7d": "string",
        "price_stddev_7d": "double",
        "name_count_distinct_7d": "bigint",
        "trend": "double",
    }
    compared = cross(
        members(),
        ratio_to_mean("price_sum_7d"),
        difference_to_mean("price_sum_7d"),
        percentile_rank("price_sum_7d"),
        rank("price_sum_7d"),
        share_of_total("price_sum_7d"),
    )
    assert [f.name.removeprefix("price_sum_7d_") for f in compared.published] == [
        "members",
        "ratio_to_mean",
        "difference_to_mean",
        "percentile_rank",
        "rank",
        "share_of_total",
    ]


def test_s11_a_view_is_cut_when_its_source_has_landed_unless_it_says_otherwise() -> None:
    hour = 3_600_000_000
    view = aggregate()
    assert (view.cut_delay_us, view.publish_delay_us) == (4 * hour, 4 * hour)
    view = aggregate(publish_delay="6h")
    assert (view.cut_delay_us, view.publish_delay_us) == (4 * hour, 6 * hour)
    people = static(Column("age", "int"))
    slow = source(name="slow", available=LandingDelay("8h"), columns=(*COLUMNS, Column("x", "int")))
    both = derived(lookups=(lookup(people, on=("id",), take=("age",)), lookup(slow, on=("id",), take=("x",))))
    assert aggregate(source=both).cut_delay_us == 8 * hour
    assert cross(of=aggregate(count(named="lines"), source=both)).publish_delay_us == 8 * hour


def test_every_word_of_a_definition_is_in_one_import() -> None:
    assert column is Column
    assert all(getattr(model, name) is not None for name in model.__all__)
    assert isinstance(count(named="x"), Aggregation)
