"""Exercise 5, tied weights: the main pipeline's network, tied and free, with many training images and with few."""

from dataclasses import replace

from stages.common.params import Params
from stages.exercises.inputs import Evidence, Inputs, Jobs, Results, settings


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Train the network with tied and with free weights, on many and on few images."""
    stacked = settings(params, tuple(params.network.units), activation="relu")
    amounts = {"many": inputs.job(), "few": inputs.job(train=inputs.train[: params.theory.few])}
    return {
        f"{amount} images, {kind} weights": (job, replace(stacked, tied=kind == "tied"))
        for kind in ("tied", "free")
        for amount, job in amounts.items()
    }


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """Number of parameters, training error and test error of each network."""
    rows = []
    for amount, n_images in (("many", len(inputs.train)), ("few", params.theory.few)):
        for kind in ("free", "tied"):
            result = results[f"{amount} images, {kind} weights"]
            rows.append(
                {
                    "images": n_images,
                    "tied": kind == "tied",
                    "parameters": result.n_parameters,
                    "train": round(result.train_error, 5),
                    "test": round(float(result.test_errors.mean()), 5),
                }
            )
    return {"tied": rows}, {}
