"""Exercise 3, whether a perfect reconstruction makes a good autoencoder: one that copies, one that denoises.

Both are the widest of exercise 4.
"""

import numpy as np

from stages.common.params import Params
from stages.exercises import code_sizes
from stages.exercises.inputs import (
    LEAKY,
    Evidence,
    Inputs,
    Jobs,
    Results,
    decibels,
    measured,
    settings,
    spread,
)


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Keep networks of that width untrained."""
    untrained = settings(params, (max(params.theory.codes),), activation=LEAKY, steps=0)
    return inputs.repeated("untrained", inputs.probed(), untrained)


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """Probes of the pixels and of untrained codes, pairs of probes compared, and what is made of strange inputs."""
    kinds = {
        "copying": code_sizes.name(max(params.theory.codes), 0.0),
        "denoising": code_sizes.name(max(params.theory.codes), params.theory.noise),
        "untrained": "untrained",
    }
    trained = {kind: inputs.repeats(name, results) for kind, name in kinds.items()}
    probes = {kind: np.array([result.linear for result in found]) for kind, found in trained.items()}
    facts = {
        "pixels": {name: spread(of) for name, of in inputs.probe(lambda images: images / np.float32(255)).items()},
        "untrained": measured(trained["untrained"]),
        # the same seed and the same labelled images in both
        "pairs": {
            "all": probes["copying"].size,
            "denoising": int((probes["denoising"] > probes["copying"]).sum()),
            "untrained": int((probes["untrained"] > probes["copying"]).sum()),
        },
        "queries": len(inputs.queries["plain"]),
        "strange": {kind: _strange([r.queries for r in trained[kind]], inputs) for kind in ("copying", "denoising")},
    }
    arrays = {}
    for kind in ("copying", "denoising"):
        arrays[f"strange_{kind}"] = _shown(inputs.split(trained[kind][0].queries))
    return facts, arrays | {"strange": _shown(inputs.queries) / np.float32(255)}


def _strange(reconstructed: list[np.ndarray], inputs: Inputs) -> dict[str, float | None]:
    """PSNR in dB, as a mean over trainings, of masked images (against the input, and against the whole image), of
    images upside down and of noise (against the input)."""
    targets = {name: images / np.float32(255) for name, images in inputs.queries.items()}
    outputs = [inputs.split(found) for found in reconstructed]

    def compared(kind: str, target: str) -> float | None:
        return decibels(np.mean([np.square(found[kind] - targets[target]).mean() for found in outputs]))

    return {
        "masked": compared("masked", "masked"),
        "restored": compared("masked", "plain"),
        "upside_down": compared("upside_down", "upside_down"),
        "noise": compared("noise", "noise"),
    }


def _shown(kinds: dict[str, np.ndarray]) -> np.ndarray:
    """Of ten images, of as many classes as there are, four masked, three upside down, and three of noise."""
    return np.concatenate([kinds["masked"][:4], kinds["upside_down"][4:7], kinds["noise"][7:10]])
