"""WHERE the data lives for years: the session, the tables and how they are committed."""
