"""Build: bring tables up to an as-of, from the delivered files to the release.

`kinds.plan` decides what each table's step has to do (`plan.Plan`), `job.build` executes the steps side by side
(`scheduler`): `ingest` into raw, `derived` views, `snapshots` of aggregate and cross-entity views; `publish` stages,
audits and commits them. `without_spark` plans, and finds that nothing is to do, without a JVM. `preview.preview`
computes one definition and writes nothing.
"""
