"""Errors of which the user sees only the message, without a traceback."""


class StageError(Exception):
    """An error the user can fix; the message says how."""


class BadParameters(StageError):
    """Parameters that are not allowed; the message has a line for each problem: key, value, and what is allowed."""
