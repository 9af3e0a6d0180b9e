"""The ledger: what ran, what it published, and from what, in one Delta table.

`ledger.Ledger` writes it and reads it, `records` are its rows, `state.LedgerState` is what it knows (reduced by Spark,
or without it by `reduction`), `recovery` adds what killed runs had published before they could write it down.
"""
