"""A build that ZIGGURAT_CRASH_AT kills. It joins the Spark of the test that started it: a kill costs no new one.

`killed_build.py FOLDER CLOCK AS_OF PORT SECRET`
"""

import sys
from datetime import datetime
from pathlib import Path

from tests.e2e.small.bikes import Bikes
from tests.lakehouse.nightly import joined_spark

if __name__ == "__main__":
    folder, clock, as_of, port, secret = sys.argv[1:]
    spark = joined_spark(port, secret)  # the session that the build finds
    sys.exit(str(Bikes(Path(folder)).build_at(datetime.fromisoformat(clock), as_of)))
