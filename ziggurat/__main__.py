from ziggurat.cli.main import run

run()
