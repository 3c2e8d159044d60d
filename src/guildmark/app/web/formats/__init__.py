"""How dates are written where Django's own way is not ours: English with the day first, which nobody misreads."""
