"""Where it leads: stacking, matching and feedback from outcomes."""
