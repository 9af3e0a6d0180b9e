"""How operations over windows are computed, one file each: what has to be known of some facts, and the last step.

A file's KERNEL names its partial states (which give `update`, `merge` and, where all are exact, `subtract`), `finish`,
which turns them into the published value, and the oracle, which answers the same in plain Python. `table.kernel(name)`
finds one; a new file is found without any list to edit. What an operation declares is in `definitions/operations`.
"""
