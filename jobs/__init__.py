"""RUN: versions in, commits out. One package per job; each reads only those below it.

`export | training_set | leak_test` stand on `layouts | build`, these on `spines`, `inputs` and `run`.
"""
