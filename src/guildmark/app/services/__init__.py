"""Verbs: each one transaction; permission is decided before, rows and one event are written, follow-ups enqueued."""
