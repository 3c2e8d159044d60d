"""Reads: what is there, in a fixed number of SQL statements."""
