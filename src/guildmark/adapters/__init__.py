"""The outside world behind the doors of `core.doors`: guarded fetch, key files, chains, files. No Django."""
