"""Spines: the rows (join keys and label_time) to which features are joined, typed and checked before any join.

`spine.open_spine` reads one from a file, a table or a frame; `labels.derive_labels` derives one from a label.
"""
