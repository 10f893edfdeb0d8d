"""Commands to run beside the pipeline: `python -m tools.NAME`; some have a target in the Makefile."""
