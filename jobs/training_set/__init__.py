"""Training sets and batch frames: a spine joined point in time to a service, certified, then published.

`job.build_training_set` builds or extends one, `job.training_frame` only joins, `verify.verify_training_set` builds it
again from its manifest, `diff.diff_training_sets` compares two, `leak_tested.record_leak_test` puts the result of a
leak test into its certificate, `batch_frame.batch_frame` makes the rows that a model scores.
"""
