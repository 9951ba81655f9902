"""What will run: RunPlan is the narrow waist between what a user wrote and the engine. No I/O here."""
