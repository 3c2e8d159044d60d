"""What is promised: the blueprint, co-design with industry partners, the quality gate."""
