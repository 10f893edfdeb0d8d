"""Classify and denoise pictures of your own: python -m tools.predict IMAGE... [--output FILE]."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image, ImageOps

from dae.pictures import as_mnist, as_square, oddities
from reporting.predict import figures
from stages.common.errors import StageError
from stages.common.files import atomic_write, load_images
from stages.common.params import load_params

CLASSIFIER, DAE = "data/finetune/classifier.keras", "data/pretrain/dae.keras"
TEST_IMAGES = "data/raw/test_images.npy"
LARGEST = 400  # pixels, of the longer side; larger pictures are shrunk first
DRAWN = 300  # largest number of pictures in the overview
ODD = 99  # percentile of the oddities of the test images; above it, a picture is marked
ENDINGS = (".png", ".pdf", ".svg")
DIGIT = "hardly a digit"  # marks what the networks for digits cannot have learnt
TITLE = "digits seen by tools.predict"  # saved in the overview's file, to recognise it


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake as the stages do."""

    def error(self, message: str) -> NoReturn:
        """Raise StageError with argparse's message."""
        raise StageError(f"{message}; --help tells more")


def main() -> None:
    """Print a table and draw an overview.

    Raises:
        StageError: the command is wrong (raised before any work), or pictures cannot be used (raised after all others
            have their answers, with a line for each).
    """
    parser = Parser(
        prog="python -m tools.predict",
        description="Classify and denoise pictures: of single digits, dark on light or light on dark; or, if the "
        "networks have learnt from another data set than MNIST, such as that set's.",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a PNG or JPEG file, of any size")
    parser.add_argument(
        "--output",
        default="predictions.png",
        metavar="FILE",
        help=f"the overview to write, {', '.join(ENDINGS)}; default: %(default)s",
    )
    options = parser.parse_args()
    if Path(options.output).suffix.lower() not in ENDINGS:
        raise StageError(f"--output {options.output}: this ending will not do; allowed are {', '.join(ENDINGS)}")
    missing = [path for path in (CLASSIFIER, DAE, TEST_IMAGES) if not Path(path).is_file()]
    if missing:
        hint = "run `dvc repro` to make it, or `dvc pull` if a remote has it"
        raise StageError("\n".join(f"there is no {path} yet: {hint}" for path in missing))
    # `*.png` may match the overview that an earlier call drew
    own = [name for name in options.images if is_overview(name)]
    for name in own:
        print(f"{name}: left out, since this command drew it", file=sys.stderr)
    names = [name for name in options.images if name not in own]
    if not names:
        raise StageError("no picture is left to classify")
    if any(same_file(name, options.output) for name in names):
        raise StageError(f"--output {options.output}: this is one of the pictures, and would be overwritten")

    params, side = load_params(), np.load(TEST_IMAGES, mmap_mode="r").shape[1]
    digits = params.dataset == "mnist"
    names, originals, seen, problems = prepare(names, as_mnist if digits else lambda grey: as_square(grey, side))
    if names:
        odd = DIGIT if digits else "unlike the test images"
        show(names, originals, seen, params.classes, odd, options.output)
    if problems:
        raise StageError("\n".join(problems))


def is_overview(name: str) -> bool:
    """Whether the file is a PNG that this command has drawn."""
    try:
        with Image.open(name) as image:
            return image.info.get("Title") == TITLE
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def same_file(one: str, other: str) -> bool:
    """Whether both paths exist and are the same file."""
    return Path(one).exists() and Path(other).exists() and Path(one).samefile(other)


def prepare(
    names: list[str], make: Callable[[np.ndarray], np.ndarray] = as_mnist
) -> tuple[list[str], list[np.ndarray], np.ndarray, list[str]]:
    """Read pictures and make them into images such as the networks have learnt from.

    Args:
        names: of the files.
        make: makes a grey picture of any size into such an image; its ValueError says what is wrong with a picture.

    Returns:
        The names of the pictures that will do; these pictures in grey; these as the networks see them, uint8 of shape
        (n, side, side); and a line for each other picture that says what is wrong with it.
    """
    good, originals, seen, problems = [], [], [], []
    for name in names:
        try:
            original = read_grey(name)
            seen.append(make(original))
        except FileNotFoundError:
            problems.append(f"{name}: there is no such file")
        except Image.UnidentifiedImageError:
            problems.append(f"{name}: this is no image that can be read; PNG and JPEG can")
        except OSError as error:
            problems.append(f"{name}: {error.strerror or error}")
        except (SyntaxError, ValueError, Image.DecompressionBombError) as error:
            problems.append(f"{name}: {error}")
        else:
            good.append(name)
            originals.append(original)
    return good, originals, np.array(seen), problems


def read_grey(name: str) -> np.ndarray:
    """Read a picture in grey, upright, with sides of at most LARGEST pixels: uint8 array of shape (height, width)."""
    with Image.open(name) as file:
        file.draft("RGB", (LARGEST, LARGEST))  # a JPEG of many pixels is not read in full
        image = ImageOps.exif_transpose(file)
        if image.mode.startswith("I"):  # 16 bits
            image = Image.fromarray((np.asarray(image) // 256).astype(np.uint8))
        image = as_grey(image)
        image.thumbnail((LARGEST, LARGEST))
        return np.asarray(image)


def as_grey(image: Image.Image) -> Image.Image:
    """Turn colours to grey, and transparent pixels to paper: black if the ink is light, else white."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        grey, opaque = np.asarray(image.convert("L")), np.asarray(image.getchannel("A"))
        ink_is_light = np.average(grey, weights=opaque if opaque.any() else None) > 127
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black" if ink_is_light else "white"), image)
    return image.convert("L")


def show(
    names: list[str], originals: list[np.ndarray], seen: np.ndarray, classes: list[str], odd_note: str, output: str
) -> None:
    """Print the class and the probabilities of each picture, and draw the overview.

    An image is marked with `odd_note` if one of the measures of `oddities` is larger than in ODD per cent of the test
    images. With MNIST, this marks 3% of the test images themselves, 1 to 2% of pictures drawn from them, and 11% of
    those drawn with a very thin pen.
    """
    images = np.concatenate([load_images(TEST_IMAGES), seen.reshape(len(seen), -1)]) / np.float32(255)
    probabilities, denoised = apply_networks(images)
    measures = oddities(images, denoised, probabilities)
    tests = len(images) - len(seen)
    odd = (measures[tests:] > np.percentile(measures[:tests], ODD, axis=0)).any(axis=1)
    notes = [odd_note if is_odd else "" for is_odd in odd]
    probabilities, denoised = probabilities[tests:], np.round(255 * denoised[tests:]).astype(np.uint8)

    width = max(len("probability (%)"), *map(len, names))
    head = "digit" if odd_note == DIGIT else "class"
    wide, column = max(len(head), *map(len, classes)), max(7, *(len(name) + 1 for name in classes))
    print(f"{'probability (%)':{width}}  {head:{wide}} {''.join(f'{name:>{column}}' for name in classes)}")
    for name, row, note in zip(names, probabilities, notes, strict=True):
        best, shares = classes[row.argmax()], "".join(f"{100 * p:{column}.1f}" for p in row)
        print(f"{name:{width}}  {best:>{wide}} {shares}  {note}".rstrip())
    answers = [
        f"{classes[row.argmax()]}\n{100 * row.max():.0f}%\n{note}"
        for row, note in zip(probabilities, notes, strict=True)
    ]
    denoised = denoised.reshape(seen.shape)
    figure = figures.overview(names[:DRAWN], originals[:DRAWN], seen[:DRAWN], denoised[:DRAWN], answers[:DRAWN])
    with atomic_write(output) as partial:
        figure.savefig(partial, dpi=150 if len(names) < 20 else 100, metadata={"Title": TITLE})
    some = f", the first {DRAWN} of {len(names)} pictures" if len(names) > DRAWN else ""
    print(f"what the networks saw: {output}{some}")


def apply_networks(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class probabilities and denoised images, float arrays of shapes (n, classes) and (n, pixels).

    Args:
        images: float array of shape (n, pixels), pixels in [0, 1].

    Raises:
        StageError: a network cannot be read.
    """
    from dae.core.backend import keras

    try:
        classifier, autoencoder = (keras.models.load_model(path, compile=False) for path in (CLASSIFIER, DAE))
    except (OSError, ValueError) as error:
        raise StageError(f"a network cannot be read; run `dvc checkout`. {' '.join(str(error).split())}") from error
    return (
        keras.ops.convert_to_numpy(keras.ops.softmax(classifier(images))),
        keras.ops.convert_to_numpy(keras.ops.sigmoid(autoencoder(images))),
    )


if __name__ == "__main__":
    try:
        main()
    except (StageError, OSError, MemoryError) as error:
        sys.exit("\n".join(f"ERROR: {line}" for line in str(error).splitlines()))
    except KeyboardInterrupt:
        sys.exit("interrupted")
