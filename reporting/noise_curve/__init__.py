"""Shows what the study noise_curve finds."""
