"""What all figures and texts share: words, numbers, and one style."""
