"""The drawn rules of the point-in-time join, put to other libraries, and what they return."""
