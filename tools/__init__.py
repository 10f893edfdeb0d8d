"""Commands to run beside the pipeline: `python -m tools.NAME`, or the Makefile's target of that name."""
