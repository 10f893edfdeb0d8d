"""Shows what the stage evaluate finds."""
