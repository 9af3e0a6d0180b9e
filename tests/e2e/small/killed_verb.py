"""A command that ZIGGURAT_CRASH_AT kills. It joins the Spark of the test that started it: a kill costs no new one.

`killed_verb.py FOLDER PORT SECRET WORD…`
"""

import sys
from pathlib import Path

from tests.e2e.small.bikes import Bikes
from tests.lakehouse.nightly import joined_spark

if __name__ == "__main__":
    folder, port, secret, *words = sys.argv[1:]
    spark = joined_spark(port, secret)  # the session that the command finds
    sys.exit(str(Bikes(Path(folder)).ziggurat(*words)))
