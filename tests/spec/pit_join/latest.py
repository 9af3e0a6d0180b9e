"""Which of the known facts is the latest, and its age limit."""

from datetime import timedelta

from tests.spec.pit_join.rule import KNOWN, Chapter, Rule

RULES = (
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
        "S9 a tie lasts while both facts are known, whichever of them is replaced later",
        """
        case       event_time  available_time  superseded_at  value
        both stay  3d          3d              -              a
        both stay  3d          3d              -              b
        one goes   3d          3d              6d             b
        one goes   3d          3d              -              a
        both go    3d          3d              6d             b
        both go    3d          3d              7d             a
        apart      3d          3d              6d             b
        apart      3d          4d              6d             a
        """,
        """
        case       label_time:timestamp  value  outcome  is_tied:boolean
        both stay  5d                    b      matched  true
        one goes   5d                    b      matched  true
        one goes   6d                    a      matched  false
        both go    5d                    b      matched  true
        both go    6d                    a      matched  false
        both go    7d                    -      unseen   false
        apart      5d                    a      matched  false
        """,
        how={**KNOWN, "superseded_at": "superseded_at"},
    ),
    Rule(
        "S18 a fact is kept while it is younger than max_age",
        """
        case  event_time  available_time  value
        edge  3d          3d              a
        """,
        """
        case  label_time:timestamp  value  outcome
        edge  10d-1us               a      matched
        edge  10d                   -      expired
        edge  10d+1us               -      expired
        """,
        how={**KNOWN, "max_age": "7d"},
    ),
    Rule(
        "S18 an expired latest is null, never an older fact",
        """
        case            event_time  available_time  value
        newest expired  2d          2d              a
        newest expired  3d          3d              b
        older is later  3d          3d              b
        older is later  1d          9d              a
        """,
        """
        case            label_time:timestamp  value  outcome
        newest expired  9d12:00               b      matched
        newest expired  11d                   -      expired
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
        "S9 columns are compared by value: numbers and days are no text, NaN is the greatest, and −0.0 is 0.0",
        """
        case      event_time  no:decimal(6,2)  flag:boolean  day:date    share:double  value
        number    3d          9.50             -             -           -             z
        number    3d          10.00            -             -           -             a
        negative  3d          -10.00           -             -           -             z
        negative  3d          -9.50            -             -           -             a
        flag      3d          -                false         -           -             z
        flag      3d          -                true          -           -             a
        day       3d          -                -             1969-12-31  -             z
        day       3d          -                -             1970-01-01  -             a
        nan       3d          -                -             -           inf           z
        nan       3d          -                -             -           nan           a
        zero      3d          -                -             -           0.0           a
        zero      3d          -                -             -           -0.0          z
        """,
        """
        case      label_time:timestamp  value  outcome  is_tied:boolean
        number    5d                    a      matched  true
        negative  5d                    a      matched  true
        flag      5d                    a      matched  true
        day       5d                    a      matched  true
        nan       5d                    a      matched  true
        zero      5d                    z      matched  true
        """,
    ),
    Rule(
        "S9 text and binary are compared by unsigned bytes; a longer value is greater than its beginning",
        """
        case       event_time  text  bytes:binary  value
        sign       3d          -     7f            z
        sign       3d          -     80            a
        longer     3d          -     80            z
        longer     3d          -     8000          a
        none       3d          -     -             z
        none       3d          -     ''            a
        capitals   3d          Z     -             z
        capitals   3d          a     -             a
        beyond 16  3d          ｚ     -             z
        beyond 16  3d          😀     -             a
        long text  3d          aa    -             z
        long text  3d          aab   -             a
        """,
        """
        case       label_time:timestamp  value  outcome  is_tied:boolean
        sign       5d                    a      matched  true
        longer     5d                    a      matched  true
        none       5d                    a      matched  true
        capitals   5d                    a      matched  true
        beyond 16  5d                    a      matched  true
        long text  5d                    a      matched  true
        """,
    ),
    Rule(
        "S9 arrays and structs are compared part by part, maps as entries sorted by key",
        """
        case     event_time  list:array<int>  tags:map<string,int>  pair:struct<a:int,b:string>  value
        list     3d          [9]              -                     -                            z
        list     3d          [10, 0]          -                     -                            a
        empty    3d          -                -                     -                            z
        empty    3d          []               -                     -                            a
        entries  3d          -                {"a": 1, "b": 2}      -                            z
        entries  3d          -                {"b": 1, "a": 2}      -                            a
        equal    3d          -                {"a": 1, "b": 2}      -                            a
        equal    3d          -                {"b": 2, "a": 1}      -                            z
        part     3d          -                -                     {"a": null, "b": "z"}        z
        part     3d          -                -                     {"a": 1, "b": "a"}           a
        """,
        """
        case     label_time:timestamp  value  outcome  is_tied:boolean
        list     5d                    a      matched  true
        empty    5d                    a      matched  true
        entries  5d                    a      matched  true
        equal    5d                    z      matched  true
        part     5d                    a      matched  true
        """,
    ),
    Rule(
        "S9 several tie-breaks are compared one after the other, each by its type",
        """
        case    event_time  day:date    n:decimal(4,1)  value
        first   3d          2017-01-02  1.0             a
        first   3d          2017-01-01  2.0             z
        second  3d          2017-01-01  10.0            a
        second  3d          2017-01-01  9.0             z
        equal   3d          2017-01-01  9.0             a
        equal   3d          2017-01-01  9.0             z
        """,
        """
        case    label_time:timestamp  value  outcome  is_tied:boolean
        first   5d                    a      matched  false
        second  5d                    a      matched  false
        equal   5d                    z      matched  true
        """,
        how={"tie_break": ("day", "n")},
    ),
    Rule(
        "S18 with a max_age of one microsecond no fact before t is kept; with two, a fact one microsecond before t",
        """
        case  event_time  value
        edge  3d          a
        """,
        """
        case  label_time:timestamp  value  outcome
        edge  3d                    -      unseen
        edge  3d+1us                a      matched
        edge  3d+2us                -      expired
        """,
        how={"max_age": timedelta(microseconds=2)},
    ),
    Rule(
        "S18 a fact that counts at the label time has the age 0",
        """
        case  event_time  value
        edge  3d          a
        """,
        """
        case  label_time:timestamp  value  outcome
        edge  3d-1us                -      unseen
        edge  3d                    a      matched
        edge  3d+1us                -      expired
        """,
        how={"max_age": timedelta(microseconds=1), "includes_label_instant": True},
    ),
)

CHAPTER = Chapter(
    "The latest",
    "Of the facts that a label sees, one is the latest, whatever the order of the rows: time first, then the "
    "declared tie-break, and at the end every column.",
    RULES,
)
