"""Where features lie for milliseconds: immutable snapshots, read without Spark."""
