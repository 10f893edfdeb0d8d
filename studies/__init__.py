"""The studies. The import of `stages` checks the machine and the packages, as for a stage."""

import stages  # noqa: F401
