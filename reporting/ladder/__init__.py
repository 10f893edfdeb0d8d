"""Shows what the study ladder finds."""
