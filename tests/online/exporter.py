"""A process that exports a day's snapshot, and at one point dies, waits, or may write no more.

python exporter.py FOLDER DAY kill|wait|limit POINT: POINT is a step of the export, or `rows` for the middle of them;
or a number of bytes for `limit`.
"""

import os
import resource
import signal
import sys

from online_store.embedded.store import EmbeddedStore
from online_store.errors import OnlineStoreError
from tests.online.examples import SPEND, nightly

MANY = range(1, 40_000)


def stopped(how):
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    sys.stdin.readline()


def rows_until_half(rows, how):
    yield from rows
    stopped(how)


def main(folder, day, how, point):
    description, views = nightly(int(day), households=MANY if how == "limit" else (1, 22, 333))
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(point), int(point)))
    if point == "rows":
        views = {**views, SPEND: rows_until_half(views[SPEND], how)}
    try:
        EmbeddedStore(folder).export(description, views, step=lambda step: stopped(how) if step == point else None)
    except OnlineStoreError as error:
        sys.stdout.write(str(error))
        sys.exit(error.exit_code)


main(*sys.argv[1:])
