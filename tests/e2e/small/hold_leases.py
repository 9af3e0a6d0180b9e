"""Another run that writes these tables: holds their leases until its input ends. `hold_leases.py LEASES RUN TABLE…`"""

import sys

from lakehouse.leases.leases import LeaseDesk

if __name__ == "__main__":
    leases, run, *tables = sys.argv[1:]
    with LeaseDesk.at(leases, run_id=run).acquire_all(tables):
        sys.stdout.write("held\n")
        sys.stdout.flush()
        sys.stdin.read()
