import warnings

import numpy as np
import pytest
from drawn import NONE, ONE, scribble, several
from PIL import Image
from scipy.special import expit
from sklearn.neural_network import MLPClassifier

from dae.core.training import predict
from dae.denoising import DaeJob, DaeSettings, train_daes
from dae.pictures import as_mnist, oddities

N = 60  # digits of each kind of picture


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist["test_images"][:100]


@pytest.fixture(scope="module")
def classifier(mnist):
    """Quickly trained on MNIST itself, it has never seen a picture."""
    images, labels = mnist["train_images"][:5000], mnist["train_labels"][:5000]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer")  # it could learn more, and need not
        return MLPClassifier(100, max_iter=12, random_state=0).fit(flat(images), labels)


def flat(images) -> np.ndarray:
    return np.asarray(images).reshape(len(images), -1) / 255


def accepted(pictures) -> list[np.ndarray | None]:
    """What is made of each picture: None where there is no digit, or several."""

    def made(picture):
        try:
            return as_mnist(picture)
        except ValueError:
            return None

    return list(map(made, pictures))


@pytest.mark.parametrize("kind", ONE)
def test_a_digit_is_read_from_pictures_as_people_take_them(mnist, classifier, kind):
    images, labels = mnist["test_images"][:N], mnist["test_labels"][:N]
    found = accepted(ONE[kind](image, np.random.default_rng([number, 1])) for number, image in enumerate(images))
    refused = np.array([image is None for image in found])
    seen = [np.zeros((28, 28)) if image is None else image for image in found]
    originals = (classifier.predict(flat(images)) == labels).mean()
    right = (classifier.predict(flat(seen)) == labels) & ~refused
    assert originals > 0.9
    assert right.mean() >= 0.9 * originals
    assert refused.mean() <= 0.05


@pytest.mark.parametrize("n", [2, 3])
def test_several_digits_are_counted(mnist, n):
    rng = np.random.default_rng(n)
    messages = []
    for _ in range(20):
        try:
            as_mnist(several(mnist["test_images"][rng.choice(10_000, n)], rng))
        except ValueError as error:
            messages.append(str(error))
    assert sum(f"there are {n} digits" in message for message in messages) >= 18


@pytest.mark.parametrize("kind", NONE)
def test_paper_alone_has_no_digit(kind):
    for seed in range(10):
        with pytest.raises(ValueError, match="there is no digit"):
            as_mnist(NONE[kind](np.random.default_rng([seed, 2])))


@pytest.mark.parametrize("picture", [np.zeros((1, 1), np.uint8), np.full((50, 80), 200, np.uint8)])
def test_a_picture_of_one_shade_has_no_digit(picture):
    with pytest.raises(ValueError, match="there is no digit"):
        as_mnist(picture)


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
def test_a_digit_of_mnist_is_found_again(digits, change, difference):
    """Mean absolute difference of the pixels, of 255; that to another digit is about 40."""
    found = accepted(change(digit) for digit in digits)
    kept = [number for number, image in enumerate(found) if image is not None]
    found, digits = np.stack([found[number] for number in kept]), digits[kept]
    assert len(found) >= 98  # an image of MNIST in a hundred touches its edge
    assert found.dtype == np.uint8
    assert np.abs(found.astype(float) - digits).mean() < difference
    assert np.abs(np.roll(found, 1, axis=0).astype(float) - digits).mean() > 30


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


def test_a_digit_cut_out_to_its_edge_is_found(digits):
    picture = 255 - enlarged(digits[0])
    rows, columns = (np.flatnonzero((picture < 150).any(axis=axis)) for axis in (1, 0))
    found = as_mnist(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    assert np.abs(found.astype(float) - digits[0]).mean() < 15


def test_most_scribbles_are_odder_than_nearly_all_digits(mnist, classifier):
    """So says README. With four dAEs of other seeds, 58 to 66% of 400 scribbles were; 3 to 5% of the digits."""
    images = mnist["train_images"][:10_000].reshape(-1, 784)
    settings = DaeSettings((256, 64), "masking", 0.5, tied=False, epochs=15, batch_size=128, learning_rate=0.003)
    (dae,) = train_daes([(DaeJob(images, seed=0), settings)])

    def odd(images):
        images = flat(images).astype(np.float32)
        denoised = expit(predict(dae.model, images))
        return oddities(images, denoised, classifier.predict_proba(images))

    limits = np.percentile(odd(mnist["test_images"]), 99, axis=0)
    scribbles = accepted(scribble(np.random.default_rng(seed)) for seed in range(200))
    digits = [image for image in accepted(255 - mnist["test_images"][:300:3]) if image is not None]
    assert (odd(scribbles) > limits).any(axis=1).mean() > 0.5
    assert (odd(digits) > limits).any(axis=1).mean() < 0.06
