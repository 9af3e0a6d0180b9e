"""What every run has: its context, its request, what is published, its outcome, its history and its report.

`context.Context` is what a job is given, `request.Request` what it was asked for, `outcome.RunOutcome` what became of
it; `recording.record` leaves it in the ledger, `history.runs` reads it there, `report.write_report` draws it.
"""
