"""The rules of the point-in-time join as tables: facts above, and below what each row of a spine sees of them.

A rule is one history. Its cases are kept apart by the first part of the key. The oracle answers them without Spark, and
every strategy answers them on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.drawn import table

TOLD = ("outcome", "is_tied")


@dataclass(frozen=True)
class Rule:
    """`seen` draws the spine's columns (the keys and label_time), then the features, `outcome` and `is_tied`."""

    says: str
    facts: str
    seen: str
    keys: tuple[str, ...] = ("case",)
    knowledge: str = "at_label"
    how: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spine_columns(self) -> list[str]:
        return [*self.keys, "label_time"]

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(n for n in table(self.seen).column_names if n not in (*self.spine_columns, *TOLD))


KNOWN = {"available_time": "available_time"}
VERSIONS = {**KNOWN, "identity": ("case", "fact"), "version_by": "nth", "retraction": "never_was"}

RULES = (
    Rule(
        "S5 a fact is seen from the instant at which it was known, however long ago it happened",
        """
        case           event_time  available_time  value
        late           3d          5d              a
        overtaken      3d          9d              old
        overtaken      4d          5d              new
        known before   6d          2d              plan
        """,
        """
        case           label_time:timestamp  value  outcome
        late           5d-1us                -      unseen
        late           5d                    a      matched
        late           5d+1us                a      matched
        overtaken      5d                    new    matched
        overtaken      9d                    new    matched
        known before   6d                    -      unseen
        known before   6d+1us                plan   matched
        """,
        how=KNOWN,
    ),
    Rule(
        "S5 a frame without available_time counts as known at once",
        "case  event_time  value\na  3d  x",
        """
        case  label_time:timestamp  value  outcome
        a     3d                    -      unseen
        a     3d+1us                x      matched
        """,
    ),
    Rule(
        "S7 each fact counts in the version that was known at the label time",
        """
        case          fact:bigint  nth:bigint  event_time  available_time  never_was:boolean  value
        corrected     1            1           3d          3d              -                  a
        corrected     1            2           3d          6d              -                  b
        moved on      1            1           3d          3d              -                  a
        moved on      1            2           8d          6d              -                  b
        moved back    1            1           8d          6d              -                  b
        moved back    1            2           3d          7d              -                  a
        old one late  1            2           3d          4d              -                  new
        old one late  1            1           3d          6d              -                  old
        an older one  1            1           2d          2d              -                  a
        an older one  2            1           3d          3d              -                  b
        an older one  2            2           1d          6d              -                  c
        twice         1            1           3d          3d              -                  a
        twice         1            1           3d          3d              -                  a
        one instant   1            1           3d          5d              -                  a
        one instant   1            2           3d          5d              -                  b
        """,
        """
        case          label_time:timestamp  value  outcome  is_tied:boolean
        corrected     6d-1us                a      matched  false
        corrected     6d                    b      matched  false
        moved on      6d-1us                a      matched  false
        moved on      6d                    -      unseen   false
        moved on      8d                    -      unseen   false
        moved on      8d+1us                b      matched  false
        moved back    7d-1us                -      unseen   false
        moved back    7d                    a      matched  false
        moved back    9d                    a      matched  false
        old one late  5d                    new    matched  false
        old one late  7d                    new    matched  false
        an older one  6d-1us                b      matched  false
        an older one  6d                    a      matched  false
        twice         4d                    a      matched  false
        one instant   5d-1us                -      unseen   false
        one instant   5d                    b      matched  false
        """,
        how=VERSIONS,
    ),
    Rule(
        "S7 a frame that says when each version was superseded is taken at its word",
        """
        case       event_time  available_time  superseded_at  value
        corrected  3d          3d              6d             a
        corrected  3d          6d              -              b
        withdrawn  3d          3d              6d             a
        never      3d          6d              6d             a
        several    2d          2d              9d             a
        several    3d          3d              8d             b
        several    4d          4d              7d             c
        several    1d          1d              -              d
        """,
        """
        case       label_time:timestamp  value  outcome
        corrected  6d-1us                a      matched
        corrected  6d                    b      matched
        withdrawn  6d-1us                a      matched
        withdrawn  6d                    -      unseen
        never      6d                    -      unseen
        several    7d-1us                c      matched
        several    7d                    b      matched
        several    8d                    a      matched
        several    9d                    d      matched
        """,
        how={**KNOWN, "superseded_at": "superseded_at"},
    ),
    Rule(
        "S8 after a retraction the earlier fact shows again",
        """
        case             fact:bigint  nth:bigint  event_time  available_time  never_was:boolean  value
        earlier returns  1            1           2d          2d              false              a
        earlier returns  2            1           4d          4d              false              b
        earlier returns  2            2           4d          6d              true               b
        the only one     1            1           2d          2d              -                  a
        the only one     1            2           2d          6d              true               a
        taken back       1            1           2d          2d              -                  a
        taken back       1            2           2d          4d              true               a
        taken back       1            3           2d          6d              -                  c
        """,
        """
        case             label_time:timestamp  value  outcome
        earlier returns  6d-1us                b      matched
        earlier returns  6d                    a      matched
        the only one     6d-1us                a      matched
        the only one     6d                    -      unseen
        taken back       4d                    -      unseen
        taken back       6d                    c      matched
        """,
        how=VERSIONS,
    ),
    Rule(
        "S8 from a tombstone on there is no value; before it history stands, and a later fact or version undoes it",
        """
        case      fact:bigint  nth:bigint  event_time  available_time  gone:boolean  value
        left      1            1           2d          2d              false         a
        left      2            1           4d          5d              true          a
        returned  1            1           2d          2d              true          -
        returned  2            1           4d          4d              -             b
        undone    1            1           2d          2d              -             a
        undone    2            1           4d          4d              true          a
        undone    2            2           4d          6d              false         c
        """,
        """
        case      label_time:timestamp  value  outcome
        left      4d+1us                a      matched
        left      5d-1us                a      matched
        left      5d                    -      ended
        returned  3d                    -      ended
        returned  5d                    b      matched
        undone    5d                    -      ended
        undone    6d                    c      matched
        """,
        how={**KNOWN, "identity": ("case", "fact"), "version_by": "nth", "tombstone": "gone"},
    ),
    Rule(
        "S9 the latest is the greatest by event time, tie-break, available time, tombstone, then every column",
        """
        case          event_time  nth:bigint  available_time  gone:boolean  level  value
        event time    3d          9           5d              -             z      a
        event time    4d          1           4d              -             a      b
        tie-break     3d          2           3d              -             a      a
        tie-break     3d          1           4d              -             z      b
        no tie-break  3d          -           4d              -             z      a
        no tie-break  3d          0           3d              -             a      b
        available     3d          1           3d              -             z      a
        available     3d          1           4d              -             a      b
        tombstone     3d          1           3d              true          a      a
        tombstone     3d          1           3d              false         z      b
        columns       3d          1           3d              false         a      z
        columns       3d          1           3d              false         b      a
        nulls first   3d          1           3d              false         -      z
        nulls first   3d          1           3d              false         ''     a
        by bytes      3d          1           3d              false         ä      a
        by bytes      3d          1           3d              false         z      b
        no last one   3d          1           3d              false         a      -
        no last one   3d          1           3d              false         a      a
        three         3d          1           3d              false         a      a
        three         3d          1           3d              false         a      a
        three         3d          1           3d              false         b      b
        older ties    2d          1           3d              false         a      a
        older ties    2d          1           3d              false         b      a
        older ties    3d          1           3d              false         a      b
        """,
        """
        case          label_time:timestamp  value  outcome  is_tied:boolean
        event time    6d                    b      matched  false
        tie-break     6d                    a      matched  false
        no tie-break  6d                    b      matched  false
        available     3d12:00               a      matched  false
        available     6d                    b      matched  false
        tombstone     6d                    -      ended    false
        columns       6d                    a      matched  true
        nulls first   6d                    a      matched  true
        by bytes      6d                    a      matched  true
        no last one   6d                    a      matched  true
        three         6d                    b      matched  true
        older ties    6d                    b      matched  false
        """,
        how={**KNOWN, "tie_break": ("nth",), "tombstone": "gone"},
    ),
    Rule(
        "S9 a tie lasts while both facts are known, whoever of them is replaced later",
        """
        case        event_time  available_time  superseded_at  value
        both stay   3d          3d              -              a
        both stay   3d          3d              -              b
        one goes    3d          3d              6d             b
        one goes    3d          3d              -              a
        both go     3d          3d              6d             b
        both go     3d          3d              7d             a
        apart       3d          3d              6d             b
        apart       3d          4d              6d             a
        """,
        """
        case         label_time:timestamp  value  outcome  is_tied:boolean
        both stay    5d                    b      matched  true
        one goes     5d                    b      matched  true
        one goes     6d                    a      matched  false
        both go      5d                    b      matched  true
        both go      6d                    a      matched  false
        both go      7d                    -      unseen   false
        apart        5d                    a      matched  false
        """,
        how={**KNOWN, "superseded_at": "superseded_at"},
    ),
    Rule(
        "S10 a static history is joined by its keys alone; of several rows the greatest is taken, and counted as a tie",
        """
        case   level  value
        one    a      x
        two    a      z
        two    b      y
        same   a      x
        same   a      x
        """,
        """
        case   label_time:timestamp  value  outcome      is_tied:boolean
        one    1900-01-01T00:00Z     x      matched      false
        two    5d                    y      matched      true
        same   5d                    x      matched      true
        none   5d                    -      unseen       false
        one    -                     -      without_key  false
        -      5d                    -      without_key  false
        """,
        how={"event_time": None},
    ),
    Rule(
        "S14 what happens at the label time is the outcome, not the evidence; what is known at it counts",
        """
        case            event_time  available_time  value
        event at t      4d          4d              b
        event at t      3d          3d              a
        available at t  3d          4d              a
        just before     4d-1us      4d              a
        just after      4d+1us      3d              a
        """,
        """
        case            label_time:timestamp  value  outcome
        event at t      4d                    a      matched
        available at t  4d                    a      matched
        just before     4d                    a      matched
        just after      4d                    -      unseen
        """,
        how=KNOWN,
    ),
    Rule(
        "S14 a snapshot of T holds what lies before T: at T it is seen, if it was published",
        """
        case       event_time  available_time  value
        at once    3d          3d              a
        published  3d          3d04:00         a
        """,
        """
        case       label_time:timestamp  value  outcome
        at once    3d-1us                -      unseen
        at once    3d                    a      matched
        published  3d                    -      unseen
        published  3d04:00-1us           -      unseen
        published  3d04:00               a      matched
        """,
        how={**KNOWN, "is_snapshot": True},
    ),
    Rule(
        "S14 a view that includes the label instant sees what happens at it, and nothing after it",
        """
        case        event_time  available_time  value
        at t        4d          4d              a
        after t     4d+1us      4d              a
        known late  4d          4d+1us          a
        """,
        """
        case        label_time:timestamp  value  outcome
        at t        4d                    a      matched
        after t     4d                    -      unseen
        known late  4d                    -      unseen
        """,
        how={**KNOWN, "includes_label_instant": True},
    ),
    Rule(
        "S15 every row of the spine comes back once: duplicates, unmatched ones, and those without a label time",
        """
        case       event_time  available_time  value
        duplicate  3d          3d              a
        unlabeled  3d          3d              a
        """,
        """
        case       label_time:timestamp  value  outcome
        duplicate  4d                    a      matched
        duplicate  4d                    a      matched
        duplicate  4d                    a      matched
        duplicate  2d                    -      unseen
        unlabeled  -                     -      without_key
        unlabeled  -                     -      without_key
        unknown    4d                    -      unseen
        -          -                     -      without_key
        """,
        how=KNOWN,
    ),
    Rule(
        "S16 all features come from one fact: its nulls hide older values",
        """
        case   event_time  value  level
        nulls  3d          a      b
        nulls  4d          -      c
        all    3d          a      b
        all    4d          -      -
        """,
        """
        case   label_time:timestamp  value  level  outcome
        nulls  4d                    a      b      matched
        nulls  5d                    -      c      matched
        all    5d                    -      -      matched
        """,
    ),
    Rule(
        "S17 keys are compared part by part, and a null part matches nothing",
        """
        a   b   n:bigint  event_time  value
        1   23  1         3d          x
        12  3   1         3d          y
        1   -   1         3d          null b
        -   23  1         3d          null a
        1   23  -         3d          null n
        -   -   -         3d          all null
        """,
        """
        a   b   n:bigint  label_time:timestamp  value  outcome
        1   23  1         4d                    x      matched
        12  3   1         4d                    y      matched
        12  3   2         4d                    -      unseen
        1   -   1         4d                    -      without_key
        -   23  1         4d                    -      without_key
        1   23  -         4d                    -      without_key
        -   -   -         4d                    -      without_key
        -   -   -         4d                    -      without_key
        """,
        keys=("a", "b", "n"),
    ),
    Rule(
        "S18 a fact is kept while it is younger than max_age; an expired latest is null, never an older fact",
        """
        case            event_time  available_time  value
        edge            3d          3d              a
        newest expired  2d          2d              a
        newest expired  3d          3d              b
        older is later  3d          3d              b
        older is later  1d          9d              a
        """,
        """
        case            label_time:timestamp  value  outcome
        edge            10d-1us               a      matched
        edge            10d                   -      expired
        edge            10d+1us               -      expired
        newest expired  10d-1us               b      matched
        newest expired  10d                   -      expired
        older is later  9d12:00               b      matched
        older is later  11d                   -      expired
        """,
        how={**KNOWN, "max_age": "7d"},
    ),
    Rule(
        "S18 a tombstone has ended its entity, however old it is",
        """
        case  event_time  gone:boolean  value
        left  3d          true          a
        """,
        """
        case  label_time:timestamp  value  outcome
        left  4d                    -      ended
        left  30d                   -      ended
        """,
        how={"tombstone": "gone", "max_age": "7d"},
    ),
    Rule(
        "S19 the latest knowledge sees every fact from its event on, in its newest version",
        """
        case       fact:bigint  nth:bigint  event_time  available_time  never_was:boolean  value
        late       1            1           3d          9d              -                  a
        corrected  1            1           3d          3d              -                  a
        corrected  1            2           3d          9d              -                  b
        moved      1            1           3d          3d              -                  a
        moved      1            2           8d          9d              -                  b
        retracted  1            1           3d          3d              -                  a
        retracted  1            2           3d          9d              true               a
        """,
        """
        case       label_time:timestamp  value  outcome
        late       3d                    -      unseen
        late       3d+1us                a      matched
        corrected  4d                    b      matched
        moved      4d                    -      unseen
        moved      8d+1us                b      matched
        retracted  4d                    -      unseen
        """,
        knowledge="latest",
        how=VERSIONS,
    ),
    Rule(
        "S1 facts and labels may lie anywhere between the years 1900 and 2200",
        """
        case    event_time                   available_time               value
        first   1900-01-01T00:00Z            1900-01-01T00:00Z            a
        last    2199-12-31T23:59:59.999998Z  2199-12-31T23:59:59.999999Z  a
        """,
        """
        case    label_time:timestamp         value  outcome
        first   1900-01-01T00:00Z            -      unseen
        first   1900-01-01T00:00:00.000001Z  a      matched
        first   2199-12-31T23:59:59.999999Z  a      matched
        last    2199-12-31T23:59:59.999998Z  -      unseen
        last    2199-12-31T23:59:59.999999Z  a      matched
        """,
        how=KNOWN,
    ),
)
