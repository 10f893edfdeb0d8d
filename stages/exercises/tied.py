"""Exercise 5, tied weights: the main pipeline's network, tied and free, with many training images and with few."""

from dataclasses import replace

from stages.common.params import Params
from stages.exercises.inputs import Evidence, Inputs, Jobs, Results, settings, spread


def name(amount: str, kind: str) -> str:
    """The name of the network trained on `many` or `few` images with `tied` or `free` weights."""
    return f"{amount} images, {kind} weights"


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Train the network with tied and with free weights, on many and on few images, with each seed."""
    stacked = settings(params, tuple(params.network.units), activation="relu")
    amounts = {"many": inputs.job(), "few": inputs.job(train=inputs.train[: params.theory.few])}
    found: Jobs = {}
    for kind in ("tied", "free"):
        for amount, job in amounts.items():
            found |= inputs.repeated(name(amount, kind), job, replace(stacked, tied=kind == "tied"))
    return found


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """Number of parameters, training error and test error of each network, and when the tied one overtakes the free."""
    rows, overtaken = [], {}
    for amount, n_images in (("many", len(inputs.train)), ("few", params.theory.few)):
        found = {kind: inputs.repeats(name(amount, kind), results) for kind in ("free", "tied")}
        for kind, trained in found.items():
            rows.append(
                {
                    "images": n_images,
                    "tied": kind == "tied",
                    "parameters": trained[0].n_parameters,
                    "train": spread([result.train_error for result in trained], 6),
                    "test": spread([result.test_errors.mean() for result in trained], 6),
                }
            )
        shares = [
            reached(tied.losses, free.losses[-1]) for free, tied in zip(found["free"], found["tied"], strict=True)
        ]
        overtaken[amount] = None if None in shares else spread(share for share in shares if share)
    return {"tied": rows, "overtaken": overtaken}, {}


def reached(losses: list[float], goal: float) -> float | None:
    """The share of a training after which its loss is at most `goal`, from the losses of its parts; None if never."""
    return next((n / len(losses) for n, loss in enumerate(losses, start=1) if loss <= goal), None)
