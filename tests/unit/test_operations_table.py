"""Operations are found by their name, and what one declares is what the platform does."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from definitions import operations
from definitions.aggregations import Aggregation
from definitions.comparisons import Comparison
from definitions.errors import UnknownName, UsageError
from definitions.operations.table import group_operation, window_operation, window_operations
from definitions.services import FeatureService, features_of
from features.aggregate.household_spend import household_spend
from features.aggregate.household_visits import household_visits
from jobs.export.views import _wanted


@pytest.fixture
def redeclared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def redeclare(name: str, **changes: Any) -> None:
        file = getattr(operations, name)
        monkeypatch.setattr(file, "OPERATION", replace(file.OPERATION, **changes))
        window_operations.cache_clear()

    yield redeclare
    monkeypatch.undo()
    window_operations.cache_clear()


def test_an_unknown_operation_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match=r"^unknown operation 'xyzzy'\. Known: count, count_distinct, first"):
        window_operation("xyzzy")
    with pytest.raises(UnknownName, match=r"view 'spend' v1: unknown operation 'maen'\. Did you mean 'mean'"):
        Aggregation(operation="maen", input="x").expand({"x": "int"}, ("7d",), where="view 'spend' v1")
    with pytest.raises(UnknownName, match=r"unknown operation 'ranks'\. Did you mean 'rank'"):
        group_operation("ranks")
    with pytest.raises(UnknownName, match=r"view 'beside' v1: unknown operation 'ranks'"):
        Comparison(operation="ranks", input="x").expand({}, where="view 'beside' v1")


def test_a_view_with_an_operation_that_is_not_online_is_not_exported(redeclared: Callable[..., None]) -> None:
    spend = FeatureService("spend_v1", features=(features_of(household_spend, "spend_trend"),), owner="crm")
    visits = FeatureService("visits_v1", features=(features_of(household_visits),), owner="crm")
    assert [selection.view for selection in _wanted([spend, visits])] == [household_spend, household_visits]
    redeclared("mean", is_online=False)
    assert [selection.view for selection in _wanted([visits])] == [household_visits]
    with pytest.raises(UsageError, match="'household_spend' publishes mean, which can't be served online"):
        _wanted([spend])
