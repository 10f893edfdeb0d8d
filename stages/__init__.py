"""The stages. Checks the operating system, Python and the packages before a stage imports anything.

If the pipeline cannot run with them, the process ends with a line for each problem, which says what to do.
"""

import os
import sys

INSTALL = "`make report` makes the environment; `. .venv/bin/activate` enters it"

if os.name != "posix":
    sys.exit("ERROR: the pipeline runs on Linux and macOS; on Windows, run it in WSL (README.md, Commands)")
if not (3, 11) <= sys.version_info[:2] < (3, 14):
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"ERROR: {sys.executable} is Python {version}; Python 3.11, 3.12 or 3.13 is needed. {INSTALL}")

from stages.common.surroundings import unlike_the_lock, without_users_warnings  # noqa: E402

if problems := unlike_the_lock():
    sys.exit("\n".join(f"ERROR: {problem}. {INSTALL}" for problem in problems))
without_users_warnings()

import dae  # noqa: E402, F401 - before NumPy, Keras and matplotlib: it overrides the user's settings for them
