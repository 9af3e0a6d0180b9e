"""Build: bring tables up to an as-of, from the delivered files to the release.

`kinds.plan` decides what each table's step has to do (`plan.Plan`): `planners` of sources and snapshots,
`derived_plan` of derived views, from the ledger and from `statistics` of rows of raw. `job.build` executes the steps
side by side (`scheduler`): `ingest` into raw, `derived` views, `snapshots` of aggregate and cross-entity views;
`publish` stages, audits and commits them. `looks` keeps when a source was looked at, and `stale` names the as-ofs that
late rows have overtaken. `without_spark` plans, and finds that nothing is to do, without a JVM. `preview.preview`
computes one definition and writes nothing.
"""
