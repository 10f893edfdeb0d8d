"""Classify and denoise pictures of your own digits: python -m stages.predict IMAGE... [--output FILE]."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dae import pictures
from stages._params import Params
from stages._stage import StageError, run, whole

CLASSIFIER, DAE = "data/finetune/classifier.keras", "data/pretrain/dae.keras"
LARGEST = 1000  # pixels a side; larger pictures are shrunk first


def main(params: Params) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m stages.predict",
        description="Classify and denoise pictures of single digits, dark on light or light on dark.",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a PNG or JPEG file, of any size")
    parser.add_argument("--output", default="predictions.png", help="picture to write; default: %(default)s")
    arguments = parser.parse_args()

    originals, seen = prepare(arguments.images)
    probabilities, denoised = apply_networks(seen.reshape(len(seen), -1) / np.float32(255))
    width = max(map(len, arguments.images))
    print(f"{'probability (%)':{width}}  digit {''.join(f'{c:7}' for c in range(10))}")
    for name, row in zip(arguments.images, probabilities, strict=True):
        print(f"{name:{width}}  {row.argmax():5} {''.join(f'{100 * p:7.1f}' for p in row)}")
    figure = pictures.predictions(originals, seen / 255, denoised.reshape(seen.shape), probabilities)
    try:
        with whole(arguments.output) as partial:
            figure.savefig(partial, dpi=150)
    except (OSError, ValueError) as error:
        raise StageError(f"{arguments.output} cannot be written: {error}") from error
    print(f"what the networks saw: {arguments.output}")


def prepare(names: list[str]) -> tuple[list[np.ndarray], np.ndarray]:
    """The pictures in grey, and as the networks see them: uint8 of shape (n, 28, 28).

    Raises:
        StageError: with a line for each file that is missing, no image, or shows nothing.
    """
    originals, seen, problems = [], [], []
    for name in names:
        try:
            originals.append(read_grey(name))
            seen.append(pictures.as_mnist(originals[-1]))
        except FileNotFoundError:
            problems.append(f"{name}: there is no such file")
        except Image.UnidentifiedImageError:
            problems.append(f"{name}: this is no image that can be read; PNG and JPEG can")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise StageError("\n".join(problems))
    return originals, np.stack(seen)


def read_grey(name: str) -> np.ndarray:
    """A picture as shades of grey, upright, at most LARGEST pixels a side: uint8 array of shape (height, width)."""
    with Image.open(name) as image:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):  # 16 bits
            image = Image.fromarray((np.asarray(image) // 256).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            grey, opaque = np.asarray(image.convert("L")), np.asarray(image.getchannel("A"))
            ink_is_light = np.average(grey, weights=opaque if opaque.any() else None) > 127
            image = Image.alpha_composite(Image.new("RGBA", image.size, "black" if ink_is_light else "white"), image)
        image = image.convert("L")
        image.thumbnail((LARGEST, LARGEST))
        return np.asarray(image)


def apply_networks(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class probabilities and denoised images, float arrays of shapes (n, 10) and (n, 784).

    Args:
        images: float array of shape (n, 784), pixels in [0, 1].
    """
    for path in (CLASSIFIER, DAE):
        if not Path(path).is_file():
            raise StageError(f"there is no {path} yet: run `dvc repro` to make it, or `dvc pull` where it is shared")
    from dae.backend import keras

    classifier, autoencoder = (keras.models.load_model(path, compile=False) for path in (CLASSIFIER, DAE))
    return (
        keras.ops.convert_to_numpy(keras.ops.softmax(classifier(images))),
        keras.ops.convert_to_numpy(keras.ops.sigmoid(autoencoder(images))),
    )


if __name__ == "__main__":
    run(main)
