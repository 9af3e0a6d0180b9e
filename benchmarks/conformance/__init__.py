"""The drawn rules of the point-in-time join, put to others: who answers what."""
