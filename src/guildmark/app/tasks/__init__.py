"""Work for later: arguments are ids and dates, running twice is harmless."""
