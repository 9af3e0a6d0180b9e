"""One adapter for each: a question in, its answer out, as its own documentation would have a user ask."""
