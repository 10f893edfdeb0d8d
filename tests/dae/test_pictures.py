import numpy as np
import pytest
from PIL import Image

from dae.pictures import as_mnist


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist["test_images"][:100]


def enlarged(digit: np.ndarray, side: int = 140) -> np.ndarray:
    return np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))


def off_centre(digit: np.ndarray) -> np.ndarray:
    """Dark on light in a corner of a large sheet, in light that falls off to one side, with grain and a speck."""
    sheet = np.full((300, 420), 255.0)
    sheet[20:160, 260:400] -= enlarged(digit)
    sheet[250:253, 40:43] = 0
    grain = np.random.default_rng(0).normal(0, 5, sheet.shape)
    return np.clip(sheet * np.linspace(0.65, 0.95, 420) + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda digit: digit, 3),
        (lambda digit: 255 - digit, 3),
        (enlarged, 10),
        (lambda digit: 255 - enlarged(digit, 1000), 10),
        (off_centre, 11),
    ],
    ids=["as it is", "dark on light", "large", "large, dark on light", "off centre, uneven light, grain, a speck"],
)
def test_a_digit_of_mnist_is_found_again_in_other_pictures_of_it(digits, change, difference):
    """Mean absolute difference of the pixels, of 255; that to another digit is about 40."""
    found = np.stack([as_mnist(change(digit)) for digit in digits[: 20 if difference == 10 else 100]])
    assert found.dtype == np.uint8
    assert np.abs(found.astype(float) - digits[: len(found)]).mean() < difference
    assert np.abs(np.roll(found, 1, axis=0).astype(float) - digits[: len(found)]).mean() > 30


def test_the_digit_fills_its_box_and_keeps_its_proportions():
    picture = np.zeros((300, 200), np.uint8)
    picture[50:250, 90:110] = 200
    image = as_mnist(picture)
    rows, columns = np.nonzero(image)
    assert np.ptp(rows) + 1 == 20
    assert np.ptp(columns) + 1 == 2
    assert image.max() == 255
    centre = [np.average(axis, weights=image) for axis in np.indices(image.shape)]
    assert np.allclose(centre, 14, atol=0.6)


@pytest.mark.parametrize("picture", [np.zeros((1, 1), np.uint8), np.full((50, 80), 200, np.uint8)])
def test_a_picture_of_one_shade_has_no_digit(picture):
    with pytest.raises(ValueError, match="no digit"):
        as_mnist(picture)
