"""The validation table: the profile with its bounds beside it, on which the expectations are evaluated.

It has one row per (slice, feature) of the profile and one per slice (`feature` null); for every rule a column with the
figure and a column with its bound. A bound is null where its rule does not apply.
"""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from quality.profile_checks import FIGURES, Problems, consistent_facts, consistent_figures, find_missing
from quality.rules import RULES
from quality.verdicts import Bounds, RowRule, SliceFacts

LABELS = ("slice", "feature", "severity")
NUMBERS = ("rows_before", *dict.fromkeys(name for rule in RULES for name in (rule.found, rule.bound)))


def validation_table(
    profile: pd.DataFrame | pa.Table,
    slices: Sequence[SliceFacts],
    *,
    bounds: Sequence[Bounds],
    row_rule: RowRule,
    problems: Problems,
) -> pd.DataFrame:
    """The rows that can be judged, numbered from 0; what can't be judged is added to `problems`."""
    figures = _figures(profile.to_pandas() if isinstance(profile, pa.Table) else profile)
    find_missing(figures, slices, bounds, problems)
    facts = consistent_facts(slices, problems)
    rows = [
        *_feature_rows(consistent_figures(figures, facts, problems), bounds),
        *(_slice_row(counted, row_rule) for counted in facts),
    ]
    table = pd.DataFrame(rows, columns=[*LABELS, *NUMBERS])
    table = table.astype(dict.fromkeys(NUMBERS, "float64"))
    return _comparable(table, problems)


def _figures(profile: pd.DataFrame) -> pd.DataFrame:
    """The profile as text and floats; a column that it lacks, or a figure that is no number, is missing."""
    figures = profile.reset_index(drop=True).reindex(columns=["slice", "feature", *FIGURES])
    numbers = {name: pd.to_numeric(figures[name], errors="coerce").astype("float64") for name in FIGURES}
    return figures.assign(slice=figures["slice"].astype(str), **numbers)


def _feature_rows(figures: pd.DataFrame, bounds: Sequence[Bounds]) -> list[dict[str, object]]:
    """One row per feature: extremes are judged where there are values, the null share where there are rows.

    A feature without declared bounds is judged too: it may not hold NaN or infinities either (S23).
    """
    declared = {bound.feature: bound for bound in bounds}
    rows: list[dict[str, object]] = []
    for figure in figures.to_dict("records"):
        bound = declared.get(figure["feature"]) or Bounds(figure["feature"])
        has_values = figure["rows"] > figure["nulls"] + figure["nans"]
        rows.append(
            {
                "slice": figure["slice"],
                "feature": figure["feature"],
                "severity": bound.severity,
                "minimum": figure["minimum"],
                "at_least": bound.at_least if has_values else None,
                "maximum": figure["maximum"],
                "at_most": bound.at_most if has_values else None,
                "null_share": figure["nulls"] / figure["rows"] if figure["rows"] else None,
                "max_null_share": bound.max_null_share if figure["rows"] else None,
                "nans": figure["nans"],
                "nans_allowed": 0,
            }
        )
    return rows


def _slice_row(facts: SliceFacts, row_rule: RowRule) -> dict[str, object]:
    return {
        "slice": facts.slice,
        "severity": row_rule.severity,
        "slice_rows": facts.rows,
        "rows_before": facts.rows_before,
        "duplicate_keys": facts.duplicate_keys,
        "duplicates_allowed": 0,
        "null_keys": facts.null_keys,
        "null_keys_allowed": 0,
        "min_rows": row_rule.min_rows,
        "fewest_rows": row_rule.fewest(facts.rows_before),
        "most_rows": row_rule.most(facts.rows_before),
        "rows_expected": facts.rows_expected,
    }


def _comparable(table: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Without the bounds that have no figure beside them to compare: a NaN minimum never passes."""
    for rule in RULES:
        unfound = table[rule.bound].notna() & table[rule.found].isna()
        problems.add_rows(table[unfound], f"has values but no {rule.found} in the profile")
        table[rule.bound] = table[rule.bound].where(~unfound)
    return table
