"""Shows what tools/predict.py finds."""
