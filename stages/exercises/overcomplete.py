"""Exercise 3, whether a perfect reconstruction makes a good autoencoder: one that copies, one that denoises."""

from dataclasses import replace

import numpy as np

from dae.codes import linear_probe
from stages.common.params import Params
from stages.exercises.inputs import Evidence, Inputs, Jobs, Results, accuracy, decibels, settings

KINDS = ("untrained", "copying", "denoising")


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Train two autoencoders with twice as many code units as pixels, without and with noise; keep one untrained."""
    strange = strange_inputs(inputs.examples, inputs.query_seed)
    wide = settings(params, (2 * inputs.train.shape[1],), activation="relu")
    return {
        "copying": (inputs.probed(strange), wide),
        "denoising": (inputs.probed(strange), replace(wide, noise=params.theory.noise)),
        "untrained": (inputs.probed(inputs.examples), replace(wide, steps=0)),
    }


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """PSNR in dB and probe accuracy of each autoencoder, and what they make of strange inputs."""
    of_pixels = [
        linear_probe(images, labels, inputs.test, inputs.test_labels)
        for images, labels in zip(inputs.labelled, inputs.labels, strict=True)
    ]
    facts = {
        "pixels": accuracy(of_pixels),
        "overcomplete": {
            name: {"psnr": decibels(results[name].test_errors.mean()), "probe": accuracy(results[name].probes)}
            for name in KINDS
        },
    }
    strange = strange_inputs(inputs.examples, inputs.query_seed) / np.float32(255)
    arrays = {"strange": strange, "pixel_probe": np.array(np.mean(of_pixels))}
    return facts, arrays | {f"strange_{name}": results[name].queries for name in KINDS[1:]}


def strange_inputs(images: np.ndarray, seed: int) -> np.ndarray:
    """Ten inputs unlike the training images: four with half of the pixels masked, three turned by 180 degrees, three
    of noise.

    Args:
        images: at least ten, uint8 of shape (n, pixels).
        seed: for the masks and the noise.

    Returns:
        Uint8 array of shape (10, pixels).
    """
    rng = np.random.default_rng(seed)
    masked = np.where(rng.random(images[:4].shape) < 0.5, 0, images[:4])
    noise = rng.integers(0, 256, images[:3].shape)
    return np.concatenate([masked, images[4:7, ::-1], noise]).astype(np.uint8)
