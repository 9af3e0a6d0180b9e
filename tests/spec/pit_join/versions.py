"""Versions of one fact, retractions and tombstones."""

from tests.spec.pit_join.rule import KNOWN, VERSIONS, Chapter, Rule

RULES = (
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
        "S7 a version may name another key: then the fact moves to it",
        """
        case  fact:bigint  nth:bigint  event_time  available_time  never_was:boolean  value
        ann   1            1           3d          3d              -                  a
        bob   1            2           3d          6d              -                  a
        """,
        """
        case  label_time:timestamp  value  outcome
        ann   6d-1us                a      matched
        ann   6d                    -      unseen
        bob   6d-1us                -      unseen
        bob   6d                    a      matched
        """,
        how={**VERSIONS, "identity": ("fact",)},
    ),
    Rule(
        "S7 without version_by the later known version is the newer; of those known at once, the later load's",
        """
        case       fact:bigint  event_time  available_time  loaded_at  value
        corrected  1            3d          6d              1d         new
        corrected  1            3d          3d              2d         old
        two loads  1            3d          3d              2d         new
        two loads  1            3d          3d              1d         old
        one load   1            3d          3d              1d         b
        one load   1            3d          3d              1d         a
        """,
        """
        case       label_time:timestamp  value  outcome  is_tied:boolean
        corrected  5d                    old    matched  false
        corrected  6d                    new    matched  false
        two loads  5d                    new    matched  false
        one load   5d                    b      matched  false
        """,
        how={**KNOWN, "identity": ("case", "fact")},
    ),
    Rule(
        "S7 a version without a number is older than every numbered one",
        """
        case      fact:bigint  nth:bigint  event_time  available_time  never_was:boolean  value
        numbered  1            -           3d          6d              -                  b
        numbered  1            -1          3d          3d              -                  a
        """,
        """
        case      label_time:timestamp  value  outcome
        numbered  5d                    a      matched
        numbered  7d                    a      matched
        """,
        how=VERSIONS,
    ),
    Rule(
        "S8 a retraction in a frame that says when versions were superseded is no fact",
        """
        case       event_time  available_time  superseded_at  never_was:boolean  value
        retracted  2d          2d              -              false              a
        retracted  3d          3d              6d             -                  b
        retracted  3d          6d              -              true               b
        """,
        """
        case       label_time:timestamp  value  outcome
        retracted  6d-1us                b      matched
        retracted  6d                    a      matched
        """,
        how={**KNOWN, "superseded_at": "superseded_at", "retraction": "never_was"},
    ),
)

CHAPTER = Chapter(
    "Versions",
    "What a source corrects, it says again: rows with one identity are versions of one fact. A label sees each fact in "
    "the version that was known then.",
    RULES,
)
