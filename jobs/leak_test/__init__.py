"""The leak test: rows of a training set rebuilt from raw facts whose future was removed or replaced.

`job.leak_test` runs it. `sample` chooses the rows and compares their cells, `scenarios` say what could be known at each
label time, `perturbation` changes all other facts, `required_rows` limits the facts to those that are needed, `rebuild`
computes the layers again from the versions that `release` names, and `result` sums up.
"""
