"""Arrow in, NumPy, Arrow out: the arithmetic that runs inside Spark's Python workers. No Spark in here."""
