"""Peers side by side, rerunnable by anyone: `make bench`."""
