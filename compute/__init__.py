"""HOW a view becomes a DataFrame: frames in, frames out; no paths, clocks or sessions."""
