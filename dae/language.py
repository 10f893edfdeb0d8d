"""Numbers as English and Portuguese write them."""

import math


def number(language: str, value: float | None, digits: int = 0, sign: str = "") -> str:
    """A number in a language, `en` or `pt`, a dash for one that is not there: 60,000.5 or 60.000,5.

    Args:
        digits: after the decimal sign.
        sign: `+` to write the sign of positive numbers too.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    text = f"{value:{sign},.{digits}f}".replace("-", "−")
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))
