"""What is shown: delivery, evidence, rubrics and marks, agreement statistics, the award decision."""
