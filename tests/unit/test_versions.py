"""A fingerprint changes when the meaning does, and only then; what is published keeps its meaning (S35)."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from definitions import operations
from definitions.errors import DefinitionChanged
from definitions.operations.table import window_operations
from definitions.registry import Registry, key_of, load
from definitions.versions import fingerprints, lock_path, lock_text, locked_fingerprints, require_unchanged
from ziggurat.model import (
    ANY_TRUE,
    LIFETIME,
    WEEKLY,
    AggregateView,
    Ambiguous,
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
    LoadTime,
    PartitionBy,
    Source,
    count,
    expression,
    lookup,
    members,
    ratio_to_mean,
    sum_of,
)

NEW_YORK = "America/New_York"
LINES = Source(
    name="lines",
    kind=Kind.EVENTS,
    version=1,
    owner="tests",
    columns=(
        Column("id", "bigint", required=True),
        Column("shop", "bigint"),
        Column("amount", "double"),
        Column("at", "timestamp", required=True, zone=NEW_YORK),
        Column("told_at", "timestamp"),
        Column("twice", "double", computed="amount * 2"),
    ),
    identity=("id", "shop"),
    event_time=EventTime("at"),
    available=LandingDelay("4h"),
    history_start="2017-01-01",
)
DAILY_LINES = replace(
    LINES,
    columns=tuple(replace(c, type="date", zone="") if c.name == "at" else c for c in LINES.columns),
    event_time=EventTime("at", grain=Grain.DAY, zone=NEW_YORK),
)
SHOPS = Source(
    name="shops",
    kind=Kind.STATIC,
    version=1,
    owner="tests",
    columns=(Column("shop", "bigint"), Column("is_open", "boolean"), Column("town", "string")),
)
PEOPLE = Source(
    name="people",
    kind=Kind.STATIC,
    version=1,
    owner="tests",
    columns=(Column("id", "bigint"), Column("age", "string")),
    identity=("id",),
)
AT_SHOP = DerivedView(
    "at_shop",
    source=LINES,
    version=1,
    owner="tests",
    lookups=(lookup(SHOPS, on=("shop",), take=("is_open",), duplicates=ANY_TRUE),),
    features=(expression("net", "amount * 0.5"), expression("gross", "twice + 1")),
)
PERSON = Entity("person", keys=(("id", "bigint"),))
SPEND = AggregateView(
    "spend",
    entity=PERSON,
    source=AT_SHOP,
    version=1,
    owner="tests",
    windows=("7d", "30d"),
    features=(
        sum_of("net", quantum="0.01"),
        count(named="open_line", where="is_open"),
        expression("trend", "try_divide(net_sum_7d, net_sum_30d)"),
        expression("trend_up", "trend > 1"),
    ),
)
BESIDE = CrossEntityView(
    "beside",
    entity=PERSON,
    of=SPEND,
    version=1,
    owner="tests",
    group=Group(PEOPLE, by=("age",)),
    features=(members(), ratio_to_mean("net_sum_7d"), expression("above", "net_sum_7d_ratio_to_mean > 1")),
)
SUMS = {"net_sum_7d", "net_sum_30d", "trend", "trend_up"}
COUNTS = {"open_line_count_7d", "open_line_count_30d"}
ALL = SUMS | COUNTS
BESIDE_SUM = {"net_sum_7d_ratio_to_mean", "above"}
BESIDE_ALL = BESIDE_SUM | {"members"}


def columns(source: Any, **changed: dict[str, Any]) -> Any:
    return replace(source, columns=tuple(replace(c, **changed.get(c.name, {})) for c in source.columns))


def pyramid(
    *,
    lines: Source = LINES,
    shops: Source = SHOPS,
    people: Source = PEOPLE,
    rows: Any = None,
    spend: Any = None,
    beside: Any = None,
) -> CrossEntityView:
    """The whole pyramid, with some of it written otherwise."""
    one = AT_SHOP.lookups[0]
    changed_rows = replace(AT_SHOP, **{"source": lines, "lookups": (replace(one, source=shops),)} | (rows or {}))
    changed_spend = replace(SPEND, **{"source": changed_rows} | (spend or {}))
    return replace(BESIDE, **{"of": changed_spend, "group": Group(people, by=("age",))} | (beside or {}))


def changed(otherwise: CrossEntityView) -> set[str]:
    """The columns of the two snapshots, known before, whose fingerprints are not what they were."""
    before = fingerprints(SPEND) | fingerprints(BESIDE)
    now = fingerprints(otherwise.of) | fingerprints(otherwise)
    return {name for name, fingerprint in before.items() if now.get(name) != fingerprint}


def features(*replaced: Any) -> dict[str, Any]:
    kept = list(SPEND.features)
    for index, feature in replaced:
        kept[index : index + 1] = [feature]
    return {"features": tuple(kept)}


FREE: dict[str, Callable[[], CrossEntityView]] = {
    "owner and doc": lambda: pyramid(
        lines=replace(LINES, owner="others", doc="told"),
        spend={"owner": "others", "doc": "told"},
        beside={"owner": "me"},
    ),
    "unit": lambda: pyramid(spend=features((0, sum_of("net", quantum="0.01", unit="USD", doc="what is left")))),
    "limits of the gate": lambda: pyramid(
        spend=features((0, sum_of("net", quantum="0.01", at_least=0, max_null_share=0.1)))
    ),
    "formatting": lambda: pyramid(
        rows={"features": (expression("net", "  amount*0.5 "), expression("gross", "(TWICE + 1)".lower()))},
        spend=features((1, count(named="open_line", where="( is_open )"))),
    ),
    "a column's doc and unit": lambda: pyramid(lines=columns(LINES, amount={"doc": "told", "unit": "USD"})),
    "a quantum written otherwise": lambda: pyramid(spend=features((0, sum_of("net", quantum="0.010")))),
    "partitions and share of rubble": lambda: pyramid(
        lines=replace(LINES, partition_by=PartitionBy.DAY, max_quarantined_share=0.5)
    ),
    "how often it is due": lambda: pyramid(spend={"freshness": WEEKLY}),
    "another feature": lambda: pyramid(
        rows={"features": (*AT_SHOP.features, expression("more", "amount + 1"))},
        spend={"features": (count(named="all_line"), *SPEND.features)},
        beside={"features": (*BESIDE.features, ratio_to_mean("net_sum_30d"))},
    ),
    "another window": lambda: pyramid(spend={"windows": ("7d", "30d", LIFETIME)}),
    "another column of a source": lambda: pyramid(
        lines=replace(LINES, columns=(Column("new", "string"), *LINES.columns))
    ),
    "a feature that nothing here reads": lambda: pyramid(
        rows={"features": (AT_SHOP.features[0], expression("gross", "twice + 2"))}
    ),
    "a column of the look-up that nothing here reads": lambda: pyramid(shops=columns(SHOPS, town={"type": "bigint"})),
    "the order of features": lambda: pyramid(spend=features((0, SPEND.features[1]), (1, SPEND.features[0]))),
}


@pytest.mark.parametrize("case", FREE)
def test_what_leaves_the_values_alone_leaves_the_fingerprint(case: str) -> None:
    assert changed(FREE[case]()) == set()


MEANT: dict[str, tuple[Callable[[], CrossEntityView], set[str]]] = {
    "quantum": (lambda: pyramid(spend=features((0, sum_of("net", quantum="0.1")))), SUMS | BESIDE_SUM),
    "input": (lambda: pyramid(spend=features((0, sum_of("amount", named="net", quantum="0.01")))), SUMS | BESIDE_SUM),
    "filter": (lambda: pyramid(spend=features((1, count(named="open_line", where="not is_open")))), COUNTS),
    "filter taken away": (lambda: pyramid(spend=features((1, count(named="open_line")))), COUNTS),
    "expression": (
        lambda: pyramid(spend=features((2, expression("trend", "try_divide(net_sum_30d, net_sum_7d)")))),
        {"trend", "trend_up"},
    ),
    "upstream expression": (
        lambda: pyramid(rows={"features": (expression("net", "amount * 0.25"), AT_SHOP.features[1])}),
        SUMS | BESIDE_SUM,
    ),
    "what becomes of NaN": (
        lambda: pyramid(lines=columns(LINES, amount={"nan": "null"})),
        SUMS | BESIDE_SUM,
    ),
    "name in the files": (lambda: pyramid(lines=columns(LINES, amount={"delivered": "amt"})), SUMS | BESIDE_SUM),
    "look-up's duplicates": (
        lambda: pyramid(rows={"lookups": (replace(AT_SHOP.lookups[0], duplicates="latest"),)}),
        COUNTS,
    ),
    "looked-up column": (lambda: pyramid(shops=columns(SHOPS, is_open={"delivered": "open"})), COUNTS),
    "look-up's key": (lambda: pyramid(shops=columns(SHOPS, shop={"delivered": "shop_id"})), COUNTS),
    "cut delay": (lambda: pyramid(spend={"cut_delay": "5h", "publish_delay": "6h"}), ALL | BESIDE_ALL),
    "publish delay": (lambda: pyramid(spend={"publish_delay": "6h"}), ALL | BESIDE_ALL),
    "landing delay": (lambda: pyramid(lines=replace(LINES, available=LandingDelay("5h"))), ALL | BESIDE_ALL),
    "clock": (lambda: pyramid(lines=replace(LINES, available=LoadTime()), spend={"cut_delay": "4h"}), ALL | BESIDE_ALL),
    "available column": (
        lambda: pyramid(lines=replace(LINES, available=AvailableColumn("told_at")), spend={"cut_delay": "4h"}),
        ALL | BESIDE_ALL,
    ),
    "zone": (lambda: pyramid(lines=columns(LINES, at={"zone": "America/Chicago"})), ALL | BESIDE_ALL),
    "choice on DST nights": (
        lambda: pyramid(lines=replace(LINES, event_time=EventTime("at", ambiguous=Ambiguous.LATER))),
        ALL | BESIDE_ALL,
    ),
    "grain": (lambda: pyramid(lines=DAILY_LINES), ALL | BESIDE_ALL),
    "identity": (lambda: pyramid(lines=replace(LINES, identity=("id",))), ALL | BESIDE_ALL),
    "version": (lambda: pyramid(lines=replace(LINES, version_by="told_at")), ALL | BESIDE_ALL),
    "tie-break": (lambda: pyramid(lines=replace(LINES, tie_break=("shop",))), ALL | BESIDE_ALL),
    "history start": (lambda: pyramid(lines=replace(LINES, history_start="2017-01-02")), ALL | BESIDE_ALL),
    "required column": (lambda: pyramid(lines=columns(LINES, shop={"required": True})), ALL | BESIDE_ALL),
    "source version": (lambda: pyramid(lines=replace(LINES, version=2)), ALL | BESIDE_ALL),
    "view version upstream": (lambda: pyramid(rows={"version": 2}), ALL | BESIDE_ALL),
    "compared view's version": (lambda: pyramid(spend={"version": 2}), BESIDE_ALL),
    "exclude_self": (lambda: pyramid(beside={"exclude_self": True}), BESIDE_ALL),
    "min_members": (lambda: pyramid(beside={"min_members": 2}), BESIDE_ALL),
    "group": (lambda: pyramid(beside={"group": Group()}), BESIDE_ALL),
    "group's source": (lambda: pyramid(people=columns(PEOPLE, age={"delivered": "years"})), BESIDE_ALL),
    "unknown group": (lambda: pyramid(beside={"group": Group(PEOPLE, by=("age",), unknown="no_group")}), BESIDE_ALL),
}


@pytest.mark.parametrize("case", MEANT)
def test_what_changes_values_changes_exactly_the_fingerprints_of_those_values(case: str) -> None:
    otherwise, meant = MEANT[case]
    assert changed(otherwise()) == meant


def test_another_version_of_an_operation_is_another_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(fingerprints(SPEND))
    with monkeypatch.context() as patch:
        patch.setattr(operations.sum, "OPERATION", replace(operations.sum.OPERATION, version=2))
        window_operations.cache_clear()
        fingerprints.cache_clear()
        now = fingerprints(SPEND)
    window_operations.cache_clear()
    fingerprints.cache_clear()
    assert {name for name in before if now[name] != before[name]} == SUMS


def test_computed_and_derived_columns_carry_what_they_are_made_of() -> None:
    def of(lines: Source) -> dict[str, str]:
        return fingerprints(replace(AT_SHOP, source=lines))

    before, now = of(LINES), of(columns(LINES, amount={"delivered": "amt"}))
    assert {name for name in before if now[name] != before[name]} == {"amount", "twice", "net", "gross"}
    before, now = of(LINES), of(columns(LINES, shop={"delivered": "store"}))
    assert {name for name in before if now[name] != before[name]} == {"shop", "is_open"}


def test_hidden_features_are_not_published_but_belong_to_the_meaning_of_what_reads_them() -> None:
    def hidden(quantum: str) -> AggregateView:
        sums = sum_of("net", quantum=quantum, hidden=True)
        return replace(SPEND, features=(sums, *SPEND.features[1:]))

    before, now = fingerprints(hidden("0.01")), fingerprints(hidden("0.1"))
    assert set(before) == ALL - {"net_sum_7d", "net_sum_30d"}
    assert {name for name in before if now[name] != before[name]} == {"trend", "trend_up"}


def registry(*definitions: Any) -> Registry:
    return Registry("tests", definitions)


def test_a_published_meaning_does_not_change_without_a_new_version() -> None:
    published = {key_of(SPEND): dict(fingerprints(SPEND))}
    require_unchanged(registry(SPEND), published)
    otherwise = replace(SPEND, **features((0, sum_of("net", quantum="0.1"))))
    message = r"the meaning of net_sum_30d, net_sum_7d, trend, trend_up changed, but v1 is published\. Set version=2"
    with pytest.raises(DefinitionChanged, match=message) as refused:
        require_unchanged(registry(otherwise), published)
    assert refused.value.exit_code == 12
    require_unchanged(registry(SPEND, replace(otherwise, version=2)), published)


def test_adding_is_free_taking_away_is_not_and_what_is_not_declared_here_is_not_judged() -> None:
    published = {key_of(SPEND): dict(fingerprints(SPEND)), "aggregate/elsewhere/v1": {"x": "0"}}
    require_unchanged(registry(replace(SPEND, features=(count(named="all_line"), *SPEND.features))), published)
    with pytest.raises(DefinitionChanged, match="the meaning of open_line_count_30d, open_line_count_7d changed"):
        require_unchanged(registry(replace(SPEND, features=(SPEND.features[0], *SPEND.features[2:]))), published)


def test_the_message_does_not_list_a_hundred_columns() -> None:
    published = {key_of(SPEND): {f"old_{n}": "0" for n in range(100)}}
    with pytest.raises(DefinitionChanged, match="old_0, old_1, old_10, old_11, old_12 … changed"):
        require_unchanged(registry(SPEND), published)


def test_the_shipped_lock_file_is_the_one_of_the_shipped_definitions() -> None:
    shipped = load()
    assert lock_path(shipped).read_text("utf-8") == lock_text(shipped), (
        "write it with `ziggurat lock`, and look at the diff"
    )
    require_unchanged(shipped, locked_fingerprints(shipped))


def test_the_lock_file_holds_whole_definitions_and_reads_of_them_by_key() -> None:
    locked = json.loads(lock_text(registry(LINES, SHOPS, PEOPLE, AT_SHOP, SPEND, BESIDE)))
    assert locked["aggregate/spend/v1"]["columns"] == fingerprints(SPEND)
    assert locked["aggregate/spend/v1"]["definition"]["source"] == "derived/at_shop/v1"
    assert locked["derived/at_shop/v1"]["definition"]["lookups"][0]["source"] == "raw/shops/v1"
    assert locked["raw/lines/v1"]["definition"]["available"] == {"delay": "4h"}
    assert locked_fingerprints(Registry("tests.support", ())) == {}
