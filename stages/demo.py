"""Make a page to play with, in which the networks run: data/demo/demo.html."""

from collections.abc import Sequence

import numpy as np

from dae import pictures
from dae.codes import layers
from dae.quantisation import quantise
from reporting.demo.page import Layer, page
from stages.common.files import load_array, load_images, save_text
from stages.common.params import Params
from stages.common.process import run

NETWORKS = {  # the first dAE, and the classifiers of the first replicate
    "dae": "data/pretrain/dae.keras",
    "with": "data/finetune/classifier.keras",
    "without": "data/baseline/classifier.keras",
}
SMALL = 2**14  # weights; up to as many, a layer has 16 bits a weight, which take little space, and else 8
SETS, CHOICES = 12, 10  # sets of test images to take, at most, and images in a set, at least, if there are as many
LIKED = 6  # test images of each unit of the code
PREPARATION = ("SIDE", "BOX", "LONGER", "STRONGEST", "FAINTEST", "INK", "PALE", "SPECK", "JOIN", "TALL")


def main(params: Params) -> None:
    """Round the networks' weights, find the test images that each unit of the code likes most, and write the page."""
    from dae.core.backend import keras

    weights = {name: keras.models.load_model(path, compile=False).get_weights() for name, path in NETWORKS.items()}
    classes = load_array("data/raw/test_labels.npy")
    encoder = weights["dae"][: len(weights["dae"]) // 2]  # the decoder has as many layers
    *_, codes = layers(encoder, load_images("data/raw/test_images.npy") / np.float32(255))
    preparation = {name.lower(): getattr(pictures, name) for name in PREPARATION}
    text = page(
        networks={name: rounded(arrays) for name, arrays in weights.items()},
        images=load_array("data/raw/test_images.npy"),
        classes=classes,
        names=params.classes,
        choices=choices(classes),
        liked=np.argsort(-codes, axis=0, kind="stable")[:LIKED].T,
        strongest=codes.max(axis=0),
        noise=(params.corruption, params.noise),
        preparation=preparation if params.dataset == "mnist" else None,
        n_labels=params.n_labels,
    )
    save_text("data/demo/demo.html", text)


def choices(classes: np.ndarray) -> np.ndarray:
    """Which test images one can take: sets of at least `CHOICES` images, with as many of each class."""
    each = -(-CHOICES // len(np.unique(classes)))  # images of a class in a set
    n_sets = max(1, min(SETS, np.bincount(classes).min() // each))
    found = [np.flatnonzero(classes == c)[: n_sets * each] for c in np.unique(classes)]
    n = min(map(len, found)) // n_sets * n_sets
    return np.stack([rows[:n] for rows in found], axis=1).reshape(n_sets, -1)


def rounded(weights: Sequence[np.ndarray]) -> list[Layer]:
    """The layers of a network with the weights `[kernel_1, bias_1, ...]`, for the page."""
    pairs = zip(weights[::2], weights[1::2], strict=True)
    return [(*quantise(kernel, 16 if kernel.size <= SMALL else 8), bias) for kernel, bias in pairs]


if __name__ == "__main__":
    run(main)
