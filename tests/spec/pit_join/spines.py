"""What comes back: every row of the spine, with whole facts."""

from tests.spec.pit_join.rule import KNOWN, Chapter, Rule

RULES = (
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
        "S10 a static history is joined by its keys alone; of several rows the greatest is taken, and counted as a tie",
        """
        case  level  value
        one   a      x
        two   a      z
        two   b      y
        same  a      x
        same  a      x
        """,
        """
        case  label_time:timestamp  value  outcome      is_tied:boolean
        one   1900-01-01T00:00Z     x      matched      false
        two   5d                    y      matched      true
        same  5d                    x      matched      true
        none  5d                    -      unseen       false
        one   -                     -      without_key  false
        -     5d                    -      without_key  false
        """,
        how={"event_time": None},
    ),
    Rule(
        "S15 a history without facts matches no row",
        "case  event_time  available_time  value",
        """
        case  label_time:timestamp  value  outcome
        a     4d                    -      unseen
        a     4d                    -      unseen
        -     4d                    -      without_key
        a     -                     -      without_key
        """,
        how=KNOWN,
        is_alone=True,
    ),
    Rule(
        "S10 a static history without rows matches no row",
        "case  value",
        """
        case  label_time:timestamp  value  outcome
        a     4d                    -      unseen
        """,
        how={"event_time": None},
        is_alone=True,
    ),
)

CHAPTER = Chapter(
    "Rows",
    "The result has exactly the spine's rows, each with the whole row of one fact, or with nulls.",
    RULES,
)
