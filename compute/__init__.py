"""Computes what a view holds: typed facts from deliveries, derived rows, windows, comparisons and labels.

Frames in, frames out; no paths, clocks or sessions.
"""
