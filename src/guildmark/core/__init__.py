"""What every room shares: the `Report`, the rule engine, errors, doors to the outside world, and codecs."""
