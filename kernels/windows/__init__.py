"""Window aggregates at many as-of instants in one pass, bit for bit those of one instant at a time (S21).

`aggregate.aggregate` computes them for a `plan.WindowPlan`; `oracle.aggregate` is the slow, obvious way.
"""
