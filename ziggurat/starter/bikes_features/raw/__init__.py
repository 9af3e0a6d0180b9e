"""The lowest step: sources as they arrive, typed, with their identity and their two clocks."""
