"""Shows what the stage reconstruct finds."""
