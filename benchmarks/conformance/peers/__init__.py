"""One adapter for each library: a question in, its answer out, written as its own documentation recommends."""
