"""Where the data is kept for years: the session, the tables and how they are committed."""
