"""Shows what the study label_curve finds."""
