"""The one script that spark-submit sees: `spark-submit run.py build --as-of 2017-11-30`."""

from ziggurat.cli import main

if __name__ == "__main__":
    main()
