"""Exercise 4, undercomplete and overcomplete codes: a sweep over the size of the code, with and without noise."""

from stages.common.params import Params
from stages.exercises.inputs import Evidence, Inputs, Jobs, Results, accuracy, decibels, settings


def name(code: int, noise: float) -> str:
    """The name of the autoencoder with `code` units in its code, trained with this noise."""
    return f"code of {code}, noise {noise:g}"


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Train an autoencoder for each size of the code, with and without noise."""
    return {
        name(code, noise): (inputs.probed(inputs.examples), settings(params, (512, code), noise=noise))
        for code in params.theory.codes
        for noise in (0.0, params.theory.noise)
    }


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """PSNR in dB and probe accuracy for each size of the code, PCA's PSNR beside them, and reconstructed examples."""
    codes, kinds = sorted(params.theory.codes), {"no_noise": 0.0, "with_noise": params.theory.noise}
    rows = []
    for code in codes:
        of_kind = {kind: results[name(code, noise)] for kind, noise in kinds.items()}
        errors = {kind: decibels(result.test_errors.mean()) for kind, result in of_kind.items()}
        probes = {kind: accuracy(result.probes) for kind, result in of_kind.items()}
        rows.append({"code": code, "psnr": errors | {"pca_line": inputs.pca_psnr(code)}, "probe": probes})
    arrays = {f"code_{code}": results[name(code, 0.0)].queries for code in codes}
    return {"sweep": rows}, arrays | {"examples": inputs.scaled_examples}
