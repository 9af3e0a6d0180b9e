"""WHAT a feature is: definitions as data; the standard library and the expression parser, never Spark."""
