"""Gather what a training set's card shows: schema, label balance over time, null shares, distributions."""

from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from definitions.durations import day_or_instant, instant_text
from definitions.registry import key_of
from jobs.spines.spine import LABEL_TIME
from jobs.training_set.certificate import Joined
from jobs.training_set.manifest import SplitPart
from jobs.training_set.split import SPLIT
from reports.training_set import BalancePoint, CardColumn, CardPage, CertificatePage
from temporal.comparable import quoted

SAMPLED_ROWS = 1_000
MOST_POINTS = 120
_UNHASHED = ("map<", "variant")  # Spark has no hash of them
_NUMBERS = (T.NumericType, T.BooleanType)
# The profile of a column without rows.
_NO_ROWS: Mapping[Hashable, Any] = {"rows": 0, "nulls": 0, "minimum": None, "mean": None, "maximum": None}


def gather_card(
    joined: Joined, certificate: CertificatePage, keys: Sequence[str], *, split: SplitPart | None
) -> CardPage:
    """Three small passes, side by side: entities, the label over time, a sample of rows.

    split: its boundaries and counts stand beside the column that it wrote.
    """
    label = _label(joined.spine, keys)
    with ThreadPoolExecutor(3, thread_name_prefix="card") as pool:
        entities = pool.submit(lambda: joined.spine.select(*map(quoted, keys)).distinct().count())
        balance = pool.submit(lambda: _balance(joined.spine, label) if label else ("", None, ()))
        sample = pool.submit(_sample, joined.rows.select(*map(quoted, joined.columns)))
    grain, label_times, points = balance.result()
    return CardPage(
        joined.name,
        joined.service.name,
        doc=joined.service.doc,
        rows=joined.content.rows,
        entities=entities.result(),
        label=label,
        balance=points,
        grain=grain,
        label_times=label_times,
        columns=_columns(joined, keys, sample.result(), _split_text(split)),
        is_certified=certificate.is_certified,
        reasons=certificate.reasons,
        warnings=certificate.warnings,
        content_hash=joined.content.hex,
        made_at=joined.made_at,
    )


def _label(spine: DataFrame, keys: Sequence[str]) -> str | None:
    """The spine's first yes-or-no column, else one that is called label or target."""
    others = [field for field in spine.schema if field.name not in (*keys, LABEL_TIME)]
    yes_or_no = [field.name for field in others if isinstance(field.dataType, T.BooleanType)]
    named = [f.name for f in others if f.name.lower() in ("label", "target") and isinstance(f.dataType, _NUMBERS)]
    return next(iter([*yes_or_no, *named]), None)


def _balance(spine: DataFrame, label: str) -> tuple[str, int, tuple[BalancePoint, ...]]:
    """Per label time, or per day, month or year where those are too many for a picture; with the number of all."""
    for grain in ("", "day", "month", "year"):
        at = F.date_trunc(grain, LABEL_TIME) if grain else F.col(LABEL_TIME)
        grouped = spine.where(F.col(LABEL_TIME).isNotNull()).groupBy(F.unix_micros(at).alias("at"))
        counted = grouped.agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_if(quoted(label).cast("double") > 0).alias("positive"),
            F.count_if(quoted(label).isNull()).alias("unknown"),
        )
        points = counted.limit(MOST_POINTS + 1).collect()
        if len(points) <= MOST_POINTS:
            break
    text_of = instant_text if not grain else day_or_instant
    label_times = len(points) if not grain else spine.select(LABEL_TIME).dropna().distinct().count()
    balance = tuple(
        BalancePoint(text_of(r["at"]), r["rows"], r["positive"], r["unknown"])
        for r in sorted(points, key=lambda r: r["at"])
    )
    return grain, label_times, balance


def _sample(rows: DataFrame) -> dict[str, list[float | None]]:
    """The numeric columns of some rows, the same rows in every run."""
    numbers = [field.name for field in rows.schema if isinstance(field.dataType, _NUMBERS)]
    hashed = [
        quoted(field.name)
        for field in rows.schema
        if not any(kind in field.dataType.simpleString() for kind in _UNHASHED)
    ]
    few = rows.orderBy(F.xxhash64(*hashed)).limit(SAMPLED_ROWS).select(*[quoted(n).cast("double") for n in numbers])
    arrow = few.toArrow()
    return {name: arrow[name].to_pylist() for name in numbers}


def _columns(
    joined: Joined, keys: Sequence[str], sample: dict[str, list[float | None]], split: str
) -> tuple[CardColumn, ...]:
    lines = {str(line["feature"]): line for line in joined.profile.to_dict("records")}
    types = {field.name: field.dataType.simpleString() for field in joined.rows.schema}
    served = {c.name: (key_of(s.view), c) for s in joined.service.features for c in s.columns}
    cards = []
    for name in joined.columns:
        line, (view, column) = lines.get(name, _NO_ROWS), served.get(name, ("", None))
        cards.append(
            CardColumn(
                name,
                view=view,
                type=types[name],
                unit=column.unit if column else "",
                doc=column.doc if column else split if name == SPLIT else "",
                null_share=line["nulls"] / line["rows"] if line["rows"] else None,
                **({} if name in keys else _figures(line, sample.get(name, ()))),
            )
        )
    return tuple(cards)


def _split_text(split: SplitPart | None) -> str:
    """`train 700 rows from … to 2017-08-01T12:00:00Z; …; outcomes take 30d`; empty without a split."""
    if split is None:
        return ""
    parts = [
        f"{name} {part.rows:,} rows" + (f" from {part.first} to {part.last}" if part.first else "")
        for name, part in split.parts.items()
    ]
    return f"{'; '.join(parts)}; outcomes take {split.gap}"


def _figures(line: Mapping[Hashable, Any], sample: Sequence[float | None]) -> dict[str, Any]:
    """Minimum, mean, maximum and sample of a numeric column."""
    known = {name: _number(line[name]) for name in ("minimum", "mean", "maximum")}
    return {**known, "sample": sample}


def _number(value: object) -> float | None:
    return None if pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]
