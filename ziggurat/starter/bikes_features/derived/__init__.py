"""The second step: one row per source row, with looked-up columns and expressions."""
