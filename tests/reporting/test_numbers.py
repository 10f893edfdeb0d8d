import pytest

from reporting.common.numbers import number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.00805, 4, "0.0081"),
        (0.0080499999999, 4, "0.0081"),  # as the same value may be where it was just computed
        (0.5, 0, "1"),
        (1.5, 0, "2"),
        (2.5, 0, "3"),
        (-2.5, 0, "−3"),
        (2.675, 2, "2.68"),  # the nearest binary fraction is below
        (1.005, 2, "1.01"),
        (0.0449, 1, "0.0"),
        (0.04999999, 1, "0.0"),  # which is no noise
        (7, 2, "7.00"),
        (1234567.5, 0, "1,234,568"),
        (1e-12, 3, "0.000"),
    ],
)
def test_halves_are_rounded_away_from_0_whatever_noise_the_last_digits_have(value, digits, text):
    assert number("en", value, digits) == text


@pytest.mark.parametrize(("value", "text"), [(0.0125, "+1.3"), (-0.0125, "−1.3"), (0.0, "+0.0")])
def test_signs_are_shown_where_they_are_asked_for(value, text):
    assert number("en", 100 * value, 1, "+") == text
