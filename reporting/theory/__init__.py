"""Shows what the stage theory finds."""
