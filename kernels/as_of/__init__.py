"""The search of the as-of join: for each label, the last of its key's facts that was known.

`search.SortedFacts` searches integers, `tables.latest` Arrow tables.
"""
