"""Training sets and batch frames: a spine joined point in time to a service, certified, then published.

`job.build_training_set` builds or extends one, `job.training_frame` only joins, `verify.verify_training_set` builds it
again from its manifest, `diff.diff_training_sets` compares two, `leak_tested.record_leak_test` writes the result of a
leak test into its certificate, `batch_frame.batch_frame` computes the rows that a model scores. `manifest.Manifest`
says what a training set was made of, and `manifest_files` reads and writes it.
"""
