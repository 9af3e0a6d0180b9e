"""Types: every value comes back as it was."""

from tests.spec.pit_join.rule import Chapter, Rule

RULES = (
    Rule(
        "S16 text, decimals, booleans and binary keep their type and every digit, blank and byte",
        """
        case   event_time  text  amount:decimal(38,10)                     flag:boolean  bytes:binary
        least  3d          ''    -9999999999999999999999999999.9999999999  false         ''
        most   3d          😀     9999999999999999999999999999.9999999999   true          00ff
        small  3d          '-'   0.0000000001                              true          00
        blank  3d          ' a'  -0.0000000001                             false         ff
        null   2d          a     1.0000000000                              true          00
        null   3d          -     -                                         -             -
        """,
        """
        case    label_time:timestamp  text  amount:decimal(38,10)                     flag:boolean  bytes:binary
        least   4d                    ''    -9999999999999999999999999999.9999999999  false         ''
        most    4d                    😀     9999999999999999999999999999.9999999999   true          00ff
        small   4d                    '-'   0.0000000001                              true          00
        blank   4d                    ' a'  -0.0000000001                             false         ff
        null    4d                    -     -                                         -             -
        absent  4d                    -     -                                         -             -
        """,
    ),
    Rule(
        "S16 days, instants and local times keep their type, also local times that DST skips",
        """
        case     event_time  day:date    at:timestamp                 local:timestamp_ntz
        first    3d          1900-01-01  1900-01-01T00:00Z            1900-01-01T00:00:00
        last     3d          2199-12-31  2199-12-31T23:59:59.999999Z  2199-12-31T23:59:59.999999
        no hour  3d          2017-03-12  2017-03-12T07:00Z            2017-03-12T02:30:00
        no day   3d          2011-12-30  2011-12-30T10:00Z            2011-12-30T12:00:00
        twice    3d          2017-11-05  2017-11-05T06:30Z            2017-11-05T01:30:00
        null     3d          -           -                            -
        """,
        """
        case     label_time:timestamp  day:date    at:timestamp                 local:timestamp_ntz
        first    4d                    1900-01-01  1900-01-01T00:00Z            1900-01-01T00:00:00
        last     4d                    2199-12-31  2199-12-31T23:59:59.999999Z  2199-12-31T23:59:59.999999
        no hour  4d                    2017-03-12  2017-03-12T07:00Z            2017-03-12T02:30:00
        no day   4d                    2011-12-30  2011-12-30T10:00Z            2011-12-30T12:00:00
        twice    4d                    2017-11-05  2017-11-05T06:30Z            2017-11-05T01:30:00
        null     4d                    -           -                            -
        """,
    ),
    Rule(
        "S16 numbers keep their width and every bit",
        """
        case    event_time  tiny:tinyint  small:smallint  n:int        long:bigint           x:float  y:double
        least   3d          -128          -32768          -2147483648  -9223372036854775808  -0.5     5e-324
        most    3d          127           32767           2147483647   9223372036854775807   inf      1.79e308
        exact   3d          0             0               0            9007199254740993      nan      0.1
        signed  3d          0             0               0            0                     -0.0     -0.0
        null    3d          -             -               -            -                     -        -
        """,
        """
        case    label_time:timestamp  tiny:tinyint  small:smallint  n:int        long:bigint           x:float  y:double
        least   4d                    -128          -32768          -2147483648  -9223372036854775808  -0.5     5e-324
        most    4d                    127           32767           2147483647   9223372036854775807   inf      1.79e308
        exact   4d                    0             0               0            9007199254740993      nan      0.1
        signed  4d                    0             0               0            0                     -0.0     -0.0
        null    4d                    -             -               -            -                     -        -
        """,
    ),
    Rule(
        "S16 arrays and structs come back whole, with the nulls inside them",
        """
        case   event_time  list:array<int>  days:array<array<int>>  part:struct<a:int,c:struct<d:int>>
        full   3d          [3, null, 1]     [[1, null], null, []]   {"a": 1, "c": {"d": 7}}
        empty  3d          []               []                      {"a": null, "c": null}
        null   2d          [1]              [[]]                    {"a": 1, "c": {"d": null}}
        null   3d          -                -                       -
        """,
        """
        case    label_time:timestamp  list:array<int>  days:array<array<int>>  part:struct<a:int,c:struct<d:int>>
        full    4d                    [3, null, 1]     [[1, null], null, []]   {"a": 1, "c": {"d": 7}}
        empty   4d                    []               []                      {"a": null, "c": null}
        null    4d                    -                -                       -
        absent  4d                    -                -                       -
        """,
    ),
    Rule(
        "S16 maps come back whole, and maps inside of maps",
        """
        case   event_time  tags:map<string,int>  nested:map<string,map<int,array<timestamp>>>
        full   3d          {"b": 1, "a": null}   {"k": {"2": ["3d"], "1": null}, "j": null}
        empty  3d          {}                    {}
        null   2d          {"a": 1}              {"k": {}}
        null   3d          -                     -
        """,
        """
        case    label_time:timestamp  tags:map<string,int>  nested:map<string,map<int,array<timestamp>>>
        full    4d                    {"b": 1, "a": null}   {"k": {"2": ["3d"], "1": null}, "j": null}
        empty   4d                    {}                    {}
        null    4d                    -                     -
        absent  4d                    -                     -
        """,
    ),
)

CHAPTER = Chapter(
    "Types",
    "A value comes back as it was, of the type that it had: text, numbers, decimals, days, instants, local times, "
    "booleans, binary, and arrays, structs and maps of them.",
    RULES,
)
