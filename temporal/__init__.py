"""Versions and order of facts, and instants: S7, S8 and S9 as Spark columns, for all packages above.

Spark frames and columns in, frames and columns out; no paths, clocks or sessions. `instants` has literals, moved
instants and the partition of a fact. `versions` says from when until when a version counts (`with_superseded_at`,
`stands_at`, `is_known_at`, `visible_us`), and which rows are retractions and tombstones (`is_marked`). `order` says
which of several facts is the latest (`clock_order`, `column_order`, `current_rows`). `comparable` brings values of any
type into a form that Spark can put in order. Joins, look-ups, labels and windows have no such rules of their own.
"""
