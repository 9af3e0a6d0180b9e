from ziggurat.cli import run

run()
