"""Texts that stand for a number, a truth value or a time, or look as if they did."""

import random
from itertools import product


def words(text: str) -> list[str]:
    return text.split()


NUMBERS = words(
    """
    0 -0 +5 007 12 -12 12.0 12. .5 . + - -. 1.0 1.5 1e3 1E3 1e+3 1e-3 1e 1e400 -1e400 1e-400 1e999 1e1000 1e-999 0e0
    100e-2 0.000e9 120e-1 12d 1F 1f 12D 12L 0x1p3 0x1F 0b1 1_000 1,000 1,5 NaN nan -NaN Infinity -Infinity inf Inf +inf
    null None --5 5- 1..2 2147483647 2147483648 -2147483648 -2147483649 9223372036854775807 9223372036854775808
    -9223372036854775808 -9223372036854775809 12345678901234567890123
    99999999999999999999999999999999999999
    100000000000000000000000000000000000000
    0.1234567890123456789 0.123456789012345678 0.1234567890123456780 1.005 1.0050
    1.010 66.005 9999999999.99 9999999999.995 10000000000 99999999999999999999.123456789012345678 0.1
    1e23 0.30000000000000004 1.7976931348623157e308 1.7976931348623159e308 4.9e-324 2e-324 2.2250738585072012e-308
    9007199254740993 9007199254740993.0 0.0000000000000000001 00000000000000000000012 true false TRUE False t F yes NO y
    n 1 on off tru wahr oui truee 1489309200 1489309200.123456 1489309200.1234567 1489309200123 1489309200123.5
    1489309200123456 -2208988800 -2208988801 7258118399.999999 7258118400 1e9 1.4893092e9 ١٢ １２ 1²
    """
)
DAYS = words(
    """
    2017-01-15 2017-1-5 2017-02-29 2016-02-29 2017-13-01 2017-00-10 2017-01-32 0001-01-01 0000-01-01 9999-12-31
    1899-12-31 1900-01-01 2199-12-31 2200-01-01 12017-01-15 17-01-15 2017-03-12 2017-11-05 20170115 2017-W03-2 2017-015
    2017 2017/01/15
    """
)
CLOCKS = words(
    """
    T00:00:00 _00:00 T12:00 t1:05 _02:30:00 T01:30:00 T24:00:00 T12:00:60 T12:60 T12 T23:59:59,999999 T12:00:00.5
    T12:00:00.1234567 T12:00:00.1234560 T12:00:00. T120000 __12:00 T00:00:00.000 _00:00:00,0
    """
)
ZONES = words(
    """
    Z z _UTC UTC +00 +02 -05 +0530 -03:30 +00:19:32 +001932 +16 +5 +05:60 _Europe/Paris _+01:00 __Z +01: -00:00 _GMT
    Z_ +15:59 +0530:15 +05:3015
    """
)
TIMES = [f"{day}{clock}{zone}".replace("_", " ") for day, clock, zone in product(DAYS, ["", *CLOCKS], ["", *ZONES])]
BLANK = [
    "",
    " ",
    "\t",
    " 12 ",
    "\t12\t",
    "\n12",
    "12\n",
    "12\r",
    " 2017-01-15 ",
    "2017-01-15\n",
    "1 2",
    "'1'",
    "\x0012",
]
AROUND = "0123456789+-.,eEdDfFxXpP_ :TtZzUCnNaAiIyYlLrRuUsSoO\t\u0663\u00a0"


def literals(times: int, near: int) -> list[str]:
    """The numbers above, some of the times, and many that are like them but for a letter or two."""
    chosen = random.Random(17)
    found = {*NUMBERS, *chosen.sample(TIMES, times), *BLANK}
    while len(found) < times + near:
        letters = list(chosen.choice(NUMBERS) if chosen.random() < 0.5 else chosen.choice(TIMES))
        for _ in range(chosen.randint(1, 2)):
            at = chosen.randrange(len(letters) + 1)
            letters[at : at + chosen.randint(0, 1)] = [chosen.choice(AROUND)] * chosen.randint(0, 1)
        found.add("".join(letters))
    return sorted(found)
