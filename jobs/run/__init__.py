"""What every run has: its context, its request, what is published, its outcome, its history and its report.

`context.Context` is what a job is given, `request.Request` what to build, `outcome.RunOutcome` the result;
`recording.record` writes a build to the ledger, `short_runs.recorded` any other command; `history.runs` reads the
ledger, `report.write_report` draws the report.
"""
