"""What is needed: skill frameworks, skills found in job ads, demand for them."""
