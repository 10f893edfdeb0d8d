"""Shows what the study pushed finds."""
