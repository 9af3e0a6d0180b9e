"""Two clocks: when a fact happened, and when it was known."""

from tests.spec.pit_join.rule import KNOWN, VERSIONS, Chapter, Rule

RULES = (
    Rule(
        "S5 a fact is seen from the instant at which it was known, however long ago it happened",
        """
        case          event_time  available_time  value
        late          3d          5d              a
        overtaken     3d          9d              old
        overtaken     4d          5d              new
        known before  6d          2d              plan
        """,
        """
        case          label_time:timestamp  value  outcome
        late          5d-1us                -      unseen
        late          5d                    a      matched
        late          5d+1us                a      matched
        overtaken     5d                    new    matched
        overtaken     9d                    new    matched
        known before  6d                    -      unseen
        known before  6d+1us                plan   matched
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
        "S14 what happens at the label time is the outcome, not the evidence",
        """
        case         event_time  value
        event at t   3d          a
        event at t   4d          b
        just before  4d-1us      a
        just after   4d+1us      a
        """,
        """
        case         label_time:timestamp  value  outcome
        event at t   4d                    a      matched
        just before  4d                    a      matched
        just after   4d                    -      unseen
        """,
    ),
    Rule(
        "S14 what becomes known at the label time counts, if it happened before",
        """
        case            event_time  available_time  value
        available at t  3d          4d              a
        both at t       4d          4d              a
        known early     4d+1us      3d              a
        """,
        """
        case            label_time:timestamp  value  outcome
        available at t  4d-1us                -      unseen
        available at t  4d                    a      matched
        both at t       4d                    -      unseen
        known early     4d                    -      unseen
        """,
        how=KNOWN,
    ),
    Rule(
        "S14 a view that includes the label instant sees what happens at it, and nothing after it",
        """
        case     event_time  available_time  value
        at t     4d          4d              a
        after t  4d+1us      4d+1us          a
        """,
        """
        case     label_time:timestamp  value  outcome
        at t     4d-1us                -      unseen
        at t     4d                    a      matched
        after t  4d                    -      unseen
        """,
        how={**KNOWN, "includes_label_instant": True},
    ),
    Rule(
        "S14 what happens at the label instant, and is known only later, does not count even if that is included",
        """
        case        event_time  available_time  value
        known late  4d          4d+1us          a
        """,
        """
        case        label_time:timestamp  value  outcome
        known late  4d                    -      unseen
        known late  4d+1us                a      matched
        """,
        how={**KNOWN, "includes_label_instant": True},
    ),
    Rule(
        "S14 a snapshot of T holds what happened before T: a label at T sees it, if it was published",
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
        "S1 facts and labels may have any instant between the years 1900 and 2200",
        """
        case   event_time                   available_time               value
        first  1900-01-01T00:00Z            1900-01-01T00:00Z            a
        last   2199-12-31T23:59:59.999998Z  2199-12-31T23:59:59.999999Z  a
        """,
        """
        case   label_time:timestamp         value  outcome
        first  1900-01-01T00:00Z            -      unseen
        first  1900-01-01T00:00:00.000001Z  a      matched
        first  2199-12-31T23:59:59.999999Z  a      matched
        last   2199-12-31T23:59:59.999998Z  -      unseen
        last   2199-12-31T23:59:59.999999Z  a      matched
        """,
        how=KNOWN,
    ),
    Rule(
        "S1 an age of three centuries is compared exactly, too",
        """
        case   event_time         value
        first  1900-01-01T00:00Z  a
        """,
        """
        case   label_time:timestamp         value  outcome
        first  1900-01-01T00:00:00.000001Z  a      matched
        first  2199-12-31T23:59:59.999999Z  a      matched
        """,
        how={"max_age": "109573d"},
    ),
    Rule(
        "S2 near a clock change instants are compared, never local times",
        """
        case                        event_time                   available_time               value
        new york, 01:30 twice       2017-11-05T05:30Z            2017-11-05T05:30Z            first
        new york, 01:30 twice       2017-11-05T06:30Z            2017-11-05T06:30Z            second
        new york, 02:00 to 03:00    2017-03-12T06:59:59.999999Z  2017-03-12T06:59:59.999999Z  before
        new york, 02:00 to 03:00    2017-03-12T07:00Z            2017-03-12T07:00Z            after
        lord howe, 01:45 twice      2017-04-01T14:45Z            2017-04-01T14:45Z            first
        lord howe, 01:45 twice      2017-04-01T15:15Z            2017-04-01T15:15Z            second
        lord howe, 02:00 to 02:30   2016-10-01T15:29:59.999999Z  2016-10-01T15:29:59.999999Z  before
        lord howe, 02:00 to 02:30   2016-10-01T15:30Z            2016-10-01T15:30Z            after
        apia, a day that never was  2011-12-30T09:59:59.999999Z  2011-12-30T09:59:59.999999Z  before
        apia, a day that never was  2011-12-30T10:00Z            2011-12-30T10:00Z            after
        kolkata, by the sun         1905-12-31T18:06:31Z         1905-12-31T18:06:31Z         first
        kolkata, by the sun         1905-12-31T18:06:32Z         1905-12-31T18:06:32Z         second
        """,
        """
        case                        label_time:timestamp         value   outcome
        new york, 01:30 twice       2017-11-05T05:30Z            -       unseen
        new york, 01:30 twice       2017-11-05T06:00Z            first   matched
        new york, 01:30 twice       2017-11-05T06:30Z            first   matched
        new york, 01:30 twice       2017-11-05T06:30:00.000001Z  second  matched
        new york, 02:00 to 03:00    2017-03-12T07:00Z            before  matched
        new york, 02:00 to 03:00    2017-03-12T07:00:00.000001Z  after   matched
        lord howe, 01:45 twice      2017-04-01T15:00Z            first   matched
        lord howe, 01:45 twice      2017-04-01T15:15Z            first   matched
        lord howe, 01:45 twice      2017-04-01T15:15:00.000001Z  second  matched
        lord howe, 02:00 to 02:30   2016-10-01T15:30Z            before  matched
        lord howe, 02:00 to 02:30   2016-10-01T15:30:00.000001Z  after   matched
        apia, a day that never was  2011-12-30T10:00Z            before  matched
        apia, a day that never was  2011-12-30T10:00:00.000001Z  after   matched
        kolkata, by the sun         1905-12-31T18:06:32Z         first   matched
        kolkata, by the sun         1905-12-31T18:06:32.000001Z  second  matched
        """,
        how=KNOWN,
    ),
    Rule(
        "S2 what became known near a clock change counts from that instant on",
        """
        case                   event_time         available_time     value
        new york, 01:30 twice  2017-11-05T05:00Z  2017-11-05T06:30Z  late
        apia, no thirtieth     2011-12-30T09:00Z  2011-12-30T10:30Z  late
        """,
        """
        case                   label_time:timestamp         value  outcome
        new york, 01:30 twice  2017-11-05T05:30Z            -      unseen
        new york, 01:30 twice  2017-11-05T06:29:59.999999Z  -      unseen
        new york, 01:30 twice  2017-11-05T06:30Z            late   matched
        apia, no thirtieth     2011-12-30T10:29:59.999999Z  -      unseen
        apia, no thirtieth     2011-12-30T10:30Z            late   matched
        """,
        how=KNOWN,
    ),
    Rule(
        "S4 seven days of age are 7 × 86,400 seconds, also across a clock change",
        """
        case              event_time         available_time     value
        autumn, one more  2017-11-01T04:30Z  2017-11-01T04:30Z  a
        spring, one less  2017-03-08T05:30Z  2017-03-08T05:30Z  a
        """,
        """
        case              label_time:timestamp         value  outcome
        autumn, one more  2017-11-08T04:29:59.999999Z  a      matched
        autumn, one more  2017-11-08T04:30Z            -      expired
        spring, one less  2017-03-15T05:29:59.999999Z  a      matched
        spring, one less  2017-03-15T05:30Z            -      expired
        """,
        how={**KNOWN, "max_age": "7d"},
    ),
    Rule(
        "S5 a fact without one of its clocks is never known",
        """
        case             event_time  available_time  value
        never happened   -           3d              a
        never available  3d          -               a
        an older one     3d          3d              a
        an older one     4d          -               b
        an older one     -           4d              c
        """,
        """
        case             label_time:timestamp  value  outcome
        never happened   9d                    -      unseen
        never available  9d                    -      unseen
        an older one     9d                    a      matched
        """,
        how=KNOWN,
    ),
    Rule(
        "S6 a day's sum happened when the day was over: a label inside the day can't see it",
        """
        case       event_time  available_time  value
        third day  4d          4d              sum of 3d
        delivered  4d          4d04:00         sum of 3d
        """,
        """
        case       label_time:timestamp  value      outcome
        third day  3d12:00               -          unseen
        third day  4d                    -          unseen
        third day  4d+1us                sum of 3d  matched
        delivered  4d04:00-1us           -          unseen
        delivered  4d04:00               sum of 3d  matched
        """,
        how=KNOWN,
    ),
    Rule(
        "S11 a label sees the newest published snapshot, not the newest one",
        """
        case       event_time  available_time  value
        late one   3d          3d04:00         a
        late one   4d          9d              b
        out order  3d          8d              a
        out order  4d          4d04:00         b
        """,
        """
        case       label_time:timestamp  value  outcome
        late one   8d                    a      matched
        late one   9d                    b      matched
        out order  4d                    -      unseen
        out order  5d                    b      matched
        out order  9d                    b      matched
        """,
        how={**KNOWN, "is_snapshot": True},
    ),
    Rule(
        "S12 a restated snapshot counts from its own publication on; before it, the snapshot that it replaces",
        """
        case       event_time  available_time  superseded_at  value
        restated   3d          3d04:00         6d             a
        restated   3d          6d              -              b
        then next  3d          3d04:00         6d             a
        then next  3d          6d              -              b
        then next  5d          5d04:00         -              c
        """,
        """
        case       label_time:timestamp  value  outcome
        restated   3d04:00               a      matched
        restated   6d-1us                a      matched
        restated   6d                    b      matched
        then next  5d                    a      matched
        then next  5d04:00               c      matched
        then next  6d                    c      matched
        """,
        how={**KNOWN, "is_snapshot": True, "superseded_at": "superseded_at"},
    ),
    Rule(
        "S19 a fact without its available time is not known in the latest knowledge either",
        """
        case             fact:bigint  nth:bigint  event_time  available_time  never_was:boolean  value
        never available  1            1           3d          -               -                  a
        an older one     1            1           3d          9d              -                  a
        an older one     2            1           4d          -               -                  b
        """,
        """
        case             label_time:timestamp  value  outcome
        never available  9d                    -      unseen
        an older one     5d                    a      matched
        """,
        knowledge="latest",
        how=VERSIONS,
    ),
    Rule(
        "S19 the latest knowledge takes facts that are not superseded",
        """
        case       event_time  available_time  superseded_at  value
        corrected  3d          3d              6d             a
        corrected  3d          6d              -              b
        withdrawn  3d          3d              6d             a
        """,
        """
        case       label_time:timestamp  value  outcome
        corrected  4d                    b      matched
        withdrawn  4d                    -      unseen
        """,
        knowledge="latest",
        how={**KNOWN, "superseded_at": "superseded_at"},
    ),
)

CHAPTER = Chapter(
    "Two clocks",
    "A fact happened at its `event_time`, and could be known from its `available_time` on. A label sees what happened "
    "before it, and was known by then.",
    RULES,
)
