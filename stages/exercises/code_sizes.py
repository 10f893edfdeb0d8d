"""Exercise 4, undercomplete and overcomplete codes: a sweep over the size of the code, with and without noise."""

from stages.common.params import Params
from stages.exercises.inputs import LEAKY, Evidence, Inputs, Jobs, Results, measured, settings


def name(code: int, noise: float) -> str:
    """The name of the autoencoder with `code` units in its code, trained with this noise."""
    return f"code of {code}, noise {noise:g}"


def widest_narrow(inputs: Inputs, params: Params) -> int:
    """The widest undercomplete code."""
    return max(code for code in params.theory.codes if code < inputs.n_pixels)


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Train autoencoders whose code is their only hidden layer: for each size, with and without noise, with each seed.

    And a linear network with the squared error, whose optimum is PCA with as many components as its code has units.
    """
    found: Jobs = {}
    for code in params.theory.codes:
        for noise in (0.0, params.theory.noise):
            network = settings(params, (code,), activation=LEAKY, noise=noise)
            found |= inputs.repeated(name(code, noise), inputs.probed(queries=inputs.queries_for(noise)), network)
    linear = settings(params, (widest_narrow(inputs, params),), squared_error=True)
    return found | inputs.repeated("linear", inputs.job(), linear)


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """Errors and probes for each size of the code, those of PCA beside them, the linear network, and examples."""
    kinds, rows, arrays = {"no_noise": 0.0, "with_noise": params.theory.noise}, [], {}
    for code in sorted(params.theory.codes):
        row = {kind: measured(inputs.repeats(name(code, noise), results)) for kind, noise in kinds.items()}
        rows.append({"code": code} | row | {"pca": inputs.measured_pca(code) if code < inputs.n_pixels else None})
        arrays[f"code_{code}"] = inputs.repeats(name(code, 0.0), results)[0].queries[:10]
    linear = {"code": widest_narrow(inputs, params)} | measured(inputs.repeats("linear", results))
    return {"sweep": rows, "linear": linear}, arrays
