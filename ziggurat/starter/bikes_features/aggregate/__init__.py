"""The third step: one row per entity and as-of instant, over windows."""
