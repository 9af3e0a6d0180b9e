"""A process that opens the store and reads until it sees the last day; it fails if an answer mixes two days."""

import sys

from online_store.embedded.store import EmbeddedStore
from tests.online.examples import DAY_US, FIRST_US, HOUSEHOLDS, SPEND


def main(folder, last_day):
    days, opened = [], 0
    while not days or days[-1] < int(last_day):
        with EmbeddedStore(folder).open() as reader:
            day = (reader.description.as_of_us - FIRST_US) // DAY_US
            records = {record.keys[0]: record for record in reader.records(SPEND)}
            for household in HOUSEHOLDS:
                record = reader.get(SPEND, [household])
                if record != records[household] or record.values != (float(day), day + household, None):
                    sys.exit(f"torn: day {day} and {record}")
        if days and day < days[-1]:
            sys.exit(f"went back from day {days[-1]} to {day}")
        days += [day] if not days or day != days[-1] else []
        opened += 1
        if opened == 1:
            sys.stdout.write("reading\n")
            sys.stdout.flush()
    sys.stdout.write(f"{opened} {len(days)}")


main(*sys.argv[1:])
