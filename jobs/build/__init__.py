"""Build: bring tables up to an as-of, from the delivered files to the release.

`job.build` runs the steps of a request side by side (`scheduler`): `ingest` into raw, `derived` views, `snapshots` of
aggregate and cross-entity views; `publish` stages, audits and commits each. `preview.preview` computes one definition
and writes nothing.
"""
