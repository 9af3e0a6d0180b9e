"""Keys, which name the entity of a fact, of every type that can be compared exactly."""

from tests.spec.pit_join.rule import Chapter, Rule


def one_key(says: str, *, name: str, kind: str, others: tuple[str, ...], unknown: str) -> Rule:
    """Each key has one fact, which only its own label sees; `unknown` has none."""
    facts = [f"{key}  3d  fact {n}" for n, key in enumerate(others)]
    seen = [f"{key}  4d  fact {n}  matched" for n, key in enumerate(others)]
    lost = [f"{unknown}  4d  -  unseen", "-  4d  -  without_key"]
    return Rule(
        says,
        "\n".join([f"{name}:{kind}  event_time  value", *facts]),
        "\n".join([f"{name}:{kind}  label_time:timestamp  value  outcome", *seen, *lost]),
        keys=(name,),
        is_alone=True,
    )


RULES = (
    one_key(
        "S17 text is compared byte by byte: case, blanks and accents count",
        name="text_key",
        kind="string",
        others=("a", "A", "'a '", "''", "'-'", "0", "00", "é", "e\u0301", "😀"),
        unknown="b",
    ),
    one_key(
        "S17 whole numbers are keys",
        name="int_key",
        kind="int",
        others=("0", "1", "-1", "2147483647", "-2147483648"),
        unknown="2",
    ),
    one_key(
        "S17 long numbers are compared in full, beyond what a double holds",
        name="bigint_key",
        kind="bigint",
        others=("9007199254740993", "9007199254740992", "9223372036854775807", "-9223372036854775808"),
        unknown="9007199254740994",
    ),
    one_key(
        "S17 decimals are compared in full",
        name="decimal_key",
        kind="decimal(38,2)",
        others=(
            "0.10",
            "1.00",
            "-1.00",
            "999999999999999999999999999999999999.99",
            "999999999999999999999999999999999999.98",
        ),
        unknown="0.11",
    ),
    one_key(
        "S17 days are keys, before 1970 too",
        name="date_key",
        kind="date",
        others=("1900-01-01", "1969-12-31", "1970-01-01", "2199-12-31"),
        unknown="1970-01-02",
    ),
    one_key(
        "S17 instants are keys, to the microsecond, also two instants with one local time",
        name="instant_key",
        kind="timestamp",
        others=("2017-11-05T05:30Z", "2017-11-05T06:30Z", "1900-01-01T00:00Z", "3d", "3d+1us"),
        unknown="3d-1us",
    ),
    one_key(
        "S17 local times are keys as they are written, also those that DST skips",
        name="local_key",
        kind="timestamp_ntz",
        others=("2017-03-12T02:30:00", "2017-03-12T03:30:00", "1900-01-01T00:00:00"),
        unknown="2017-03-12T01:30:00",
    ),
    one_key(
        "S17 binary is compared byte by byte",
        name="binary_key",
        kind="binary",
        others=("''", "00", "0000", "00ff", "ff00"),
        unknown="ff",
    ),
    one_key(
        "S17 a boolean may be a key",
        name="boolean_key",
        kind="boolean",
        others=("true",),
        unknown="false",
    ),
    Rule(
        "S17 a null key matches nothing, not even another null, whatever its type",
        """
        day:date    code:binary  at:timestamp  is_web:boolean  price:decimal(5,2)  event_time  value
        2017-01-01  00           3d            true            1.00                3d          whole
        -           00           3d            true            1.00                3d          no day
        2017-01-01  -            3d            true            1.00                3d          no code
        2017-01-01  00           -             true            1.00                3d          no instant
        2017-01-01  00           3d            -               1.00                3d          no boolean
        2017-01-01  00           3d            true            -                   3d          no price
        """,
        """
        day:date    code:binary  at:timestamp  is_web:boolean  price:decimal(5,2)  label_time:timestamp  value
        2017-01-01  00           3d            true            1.00                4d                    whole
        -           00           3d            true            1.00                4d                    -
        2017-01-01  -            3d            true            1.00                4d                    -
        2017-01-01  00           -             true            1.00                4d                    -
        2017-01-01  00           3d            -               1.00                4d                    -
        2017-01-01  00           3d            true            -                   4d                    -
        """,
        keys=("day", "code", "at", "is_web", "price"),
        is_alone=True,
    ),
    Rule(
        "S17 keys of several types are compared together, part by part",
        """
        day:date    price:decimal(5,2)  code:binary  is_web:boolean  at:timestamp       event_time  value
        2017-01-01  1.00                00           true            2017-11-05T05:30Z  3d          a
        2017-01-01  1.00                00           true            2017-11-05T06:30Z  3d          b
        2017-01-01  1.00                00           false           2017-11-05T05:30Z  3d          c
        2017-01-01  1.00                0000         true            2017-11-05T05:30Z  3d          d
        2017-01-01  10.00               00           true            2017-11-05T05:30Z  3d          e
        2017-01-02  1.00                00           true            2017-11-05T05:30Z  3d          f
        """,
        """
        day:date    price:decimal(5,2)  code:binary  is_web:boolean  at:timestamp       label_time:timestamp  value
        2017-01-01  1.00                00           true            2017-11-05T05:30Z  4d                    a
        2017-01-01  1.00                00           true            2017-11-05T06:30Z  4d                    b
        2017-01-01  1.00                00           false           2017-11-05T05:30Z  4d                    c
        2017-01-01  1.00                0000         true            2017-11-05T05:30Z  4d                    d
        2017-01-01  10.00               00           true            2017-11-05T05:30Z  4d                    e
        2017-01-02  1.00                00           true            2017-11-05T05:30Z  4d                    f
        2017-01-02  1.00                00           false           2017-11-05T05:30Z  4d                    -
        -           1.00                00           true            2017-11-05T05:30Z  4d                    -
        2017-01-01  1.00                00           true            -                  4d                    -
        """,
        keys=("day", "price", "code", "is_web", "at"),
        is_alone=True,
    ),
    Rule(
        "S17 the spine may have other names for the keys, in the history's order",
        """
        payer  shop:bigint  event_time  value
        ann    1            3d          a
        bob    2            3d          b
        """,
        """
        paid_by  sold_at:bigint  label_time:timestamp  value  outcome
        ann      1               4d                    a      matched
        bob      2               4d                    b      matched
        ann      2               4d                    -      unseen
        """,
        keys=("payer", "shop"),
        spine_keys=("paid_by", "sold_at"),
        is_alone=True,
    ),
)

CHAPTER = Chapter(
    "Keys",
    "A key may be text, a whole number, a decimal, a day, an instant, a local time, binary or a boolean; several are "
    "compared part by part. Floats are refused, since their values are not exact.",
    RULES,
)
