"""The as-of search: for each label or row, the last of its key's facts that was known.

The join: `search.SortedFacts` searches integers, `tables.latest` Arrow tables. The look-ups of derived views:
`lookups.look_up` answers with every version of a row, made of `choices` (duplicates resolved) by `versions`.
"""
