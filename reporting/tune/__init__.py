"""Shows what the study tune finds."""
