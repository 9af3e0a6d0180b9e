"""Which expression fails, and on which row (S24)."""

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from compute.failures import Probe, explained, is_data_failure
from definitions.errors import ExpressionFailed
from kernels.operations.sum import SumOverflow
from tests.support.drawn import frame

LINES = "\n".join(f"{n}  k{n}  {n}  {n}.5  w{n}" for n in range(200))
FACTS = f"id:bigint  case  n:bigint  x:double  word\n{LINES}\n200  bad  {2**62}  1e308  1\n201  -  3  -  2"


def test_of_many_rows_the_one_that_fails_is_named_with_the_first_feature_that_does(spark) -> None:
    rows = frame(spark, FACTS)

    def probe(name: str, sql: str, *, is_quantum: bool = False) -> Probe:
        return Probe(name, sql, F.expr(sql), rows, is_quantum=is_quantum)

    fine = probe("fine", "n + 1")
    found = explained(
        [fine, probe("twice", "n * 2"), probe("thrice", "n * 3")], where="view 'v' v1", keys=("id", "case")
    )
    assert isinstance(found, ExpressionFailed)
    assert str(found).startswith("view 'v' v1, feature 'twice': n * 2 fails, of the row with id=200, case=bad: ")
    assert "write try_add, try_subtract or try_multiply" in str(found)
    assert "ANSI" not in str(found)
    assert "spark." not in str(found)
    quanta = "cast(rint((x) * 100.0D) as bigint)"
    large = explained([fine, probe("x_sum", quanta, is_quantum=True)], where="view 'v' v1", keys=("case",))
    assert isinstance(large, SumOverflow)
    assert "of the row with case=bad, does not fit int64 as whole quanta" in str(large)
    words = explained([probe("number", "cast(word as int)")], where="view 'v' v1", keys=("id",))
    assert "write try_cast, which gives null" in str(words)
    assert explained([fine], where="view 'v' v1", keys=("id",)) is None


def test_a_failure_on_a_value_is_told_from_others(spark) -> None:
    rows = frame(spark, FACTS)
    for sql, is_ours in {"n * 4": True, "cast(word as int)": True, "raise_error('LOOKUP_REFUSED: …')": False}.items():
        with pytest.raises(PySparkException) as failed:
            rows.select(F.expr(sql)).toArrow()
        assert is_data_failure(failed.value) is is_ours, sql
    assert not is_data_failure(MemoryError("no room"))
