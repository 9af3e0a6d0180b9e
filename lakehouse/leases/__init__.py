"""Leases: one writer per table, with a fencing token that only grows.

`leases.LeaseDesk` grants them, `stores` keeps the claims in a folder or a bucket, `owners` finds out whether the
process that holds one is running.
"""
