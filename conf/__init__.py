"""Settings as data: base.yaml and one file per environment that overrides it. Never logic."""
