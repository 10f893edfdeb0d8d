"""Makes the main report's text from the pipeline's results."""
