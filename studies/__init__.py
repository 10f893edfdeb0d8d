"""The studies. They run where the stages do, and are checked as these are."""

import stages  # noqa: F401
