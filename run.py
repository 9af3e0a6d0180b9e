"""The one script that spark-submit sees: the same verbs as the `ziggurat` command."""

from ziggurat.cli.main import run

if __name__ == "__main__":
    run()
