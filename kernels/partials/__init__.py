"""Partial states: what of some facts is enough to answer an operation, and to be merged with that of other facts.

`rows.Rows` holds the facts; each `Partial` (how many, their sum, the largest, the latest, the distinct values, …) turns
them into a state per cell, merges two states, and subtracts one from another where that is exact. Operations are made
of them, so that what several operations need is computed once.
"""
