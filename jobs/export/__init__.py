"""Export: the features of one as-of to the online store; only whole, verified and released snapshots.

`job.export` does it, with the rows that `views.exported_views` gathers.
"""
