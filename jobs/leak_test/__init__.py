"""The leak test: rows of a training set rebuilt from raw facts whose future was removed or replaced.

`job.leak_test` runs it: `scenarios` say what could be known at each label time, `perturbation` changes the rest,
`required_rows` are the facts that are needed, `rebuild` makes the layers again, and `compare` finds cells that changed.
"""
