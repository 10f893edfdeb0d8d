"""Writes numbers as each language does."""

import math
from decimal import ROUND_HALF_UP, Decimal

from reporting.common.words import words_of


def number(language: str, value: float | None, digits: int = 0, sign: str = "") -> str:
    """Write a number in a language, such as 60,000.5 in `en` or 60.000,5 in `pt`; a dash for None and NaN.

    Halves are rounded away from 0. Noise of the ninth digit is removed first, so that a value reads the same wherever
    it comes from: as 0.00805 in a file, or as 0.0080499999999 where it was just computed.

    Args:
        language: such as `en`.
        value: the number.
        digits: number of digits after the decimal sign.
        sign: `+` to write the sign of positive numbers too.

    Raises:
        ValueError: there is no such language.
    """
    signs = words_of("common", language)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    exact = Decimal(repr(round(float(value), 9)))
    if exact.is_finite():
        exact = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    text = f"{exact:{sign},.{digits}f}".replace("-", "−")
    return text.translate(str.maketrans(",.", signs["thousands"] + signs["decimal"]))


def hundredfold(fraction: float | None) -> float | None:
    """A fraction in per cent, or a difference of fractions in percentage points; None stays None."""
    return None if fraction is None else 100 * fraction
