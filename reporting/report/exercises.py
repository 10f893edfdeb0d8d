"""Computes what the templates print about the theory exercises, and which of their sentences the evidence calls for.

Where networks are trained several times, one measure is called larger than another only if all its values are.
"""

import math
from itertools import pairwise
from typing import Any

import numpy as np

OVERFITTED = 2  # a test error above this multiple of the training error shows overfitting
BY_HEART = 1.0  # decibels by which training images must be closer than test images to show that they were learnt
GREY = -10 * math.log10(1 / 12)  # PSNR in dB of even grey, where pixels are uniform noise: their variance is 1 / 12


def facts(p: Any, theory: dict[str, Any], n_pixels: int) -> dict[str, Any]:
    """The facts, by name, from the parameters `p`, reports/theory.json and the number of pixels of an image."""
    sweep, aurocs = theory["sweep"], sorted(theory["auroc"].items(), key=lambda item: item[1])
    narrow = [row for row in sweep if row["pca"]]
    many_free, many_tied, few_free, few_tied = theory["tied"]
    return {
        "t": theory,
        "copying": told(sweep[-1]["no_noise"]),
        "denoising": told(sweep[-1]["with_noise"]),
        "untrained": told(theory["untrained"]),
        "n_overcomplete": sweep[-1]["code"],
        "n_probed": min(p.n_labels, 2000),
        "smallest": sweep[0],
        "largest": sweep[-1],
        "widest_narrow": narrow[-1],
        "best_code": max(sweep, key=lambda row: row["no_noise"]["linear"]["mean"]),
        "gaps": gaps(sweep),
        "grey": GREY,
        "easiest": aurocs[-1],
        "hardest": aurocs[0],
        "easiest_name": p.classes[int(aurocs[-1][0])],
        "hardest_name": p.classes[int(aurocs[0][0])],
        "mean_auroc": float(np.mean(list(theory["auroc"].values()))),
        "samples": theory["samples"]["sets"],
        "n_multiplications": 2 * sum(map(math.prod, pairwise([n_pixels, *p.network.units]))),
        "n_parameters": n_parameters([n_pixels, *p.network.units]),
        **{"many_free": many_free, "many_tied": many_tied, "few_free": few_free, "few_tied": few_tied},
    }


def says(p: Any, found: dict[str, Any]) -> dict[str, bool]:
    """Which way each result went, from the parameters `p` and all facts."""
    t, samples = found["t"], found["samples"]
    copying, denoising, untrained = found["copying"], found["denoising"], found["untrained"]
    smallest, largest, widest = found["smallest"], found["largest"], found["widest_narrow"]
    strange, by_ae, by_pca = t["strange"], t["map"]["ae_code"], t["map"]["pca_code"]
    many_free, many_tied, few_free, few_tied = (
        found[name] for name in ("many_free", "many_tied", "few_free", "few_tied")
    )
    return {
        # exercise 1
        "map_beats_pca": by_ae["trustworthiness"] > by_pca["trustworthiness"]
        and above(by_ae["neighbours"], by_pca["neighbours"]),
        "variational_is_closer": samples["variational"]["frechet"] < samples["plain"]["frechet"],
        "variational_is_surer": samples["variational"]["sure"] > samples["plain"]["sure"],
        "gaussian_is_furthest": samples["gaussian"]["frechet"] == max(row["frechet"] for row in samples.values()),
        "sure_of_none": samples["real"]["sure"] == 0,
        "far_from_floor": all(
            samples[name]["sure"] < samples["real"]["sure"] / 2
            and samples[name]["frechet"] > 2 * samples["real"]["frechet"]
            for name in ("variational", "plain")
        ),
        "anomaly_looks_normal": found["hardest"][1] < 0.5,
        "ink_explains": found["hardest"][1] < 0.5 < t["auroc_by_ink"][found["hardest"][0]],
        "compression_beats_pca": t["compression"]["psnr"] > t["compression"]["pca"],
        # exercise 2
        "gains": found["difference"]["mean"] > 0,
        "below_two": abs(found["difference"]["mean"]) < 0.02,  # points: Portuguese has the singular
        "small_rate": p.finetune.learning_rate < p.baseline.learning_rate,
        # exercise 3
        "copying_spoils": above(copying["test"], denoising["test"]) and above(denoising["linear"], copying["linear"]),
        "copying_spoils_neighbours": above(denoising["neighbours"], copying["neighbours"]),
        "untrained_beats_pixels": above(untrained["linear"], t["pixels"]["linear"]),
        "training_hurts": above(untrained["linear"], copying["linear"]),
        "copying_improves": above(copying["linear"], untrained["linear"]),
        "copying_returns_holes": strange["copying"]["masked"] > strange["copying"]["restored"],
        "denoising_fills_holes": strange["denoising"]["restored"] > strange["denoising"]["masked"]
        and strange["denoising"]["restored"] > strange["copying"]["restored"],
        "copying_returns_noise": strange["copying"]["noise"] > GREY,
        # exercise 4
        "undercomplete": p.network.units[-1] < found["n_pixels"],
        "neighbours_see_more": above(smallest["no_noise"]["neighbours"], smallest["no_noise"]["linear"]),
        "pca_beats_narrowest": smallest["pca"]["test"]["mean"] > smallest["no_noise"]["test"]["high"]
        and above(smallest["pca"]["neighbours"], smallest["no_noise"]["neighbours"]),
        "widest_is_best": found["best_code"] is largest,
        "noise_helps_widest": above(largest["with_noise"]["linear"], largest["no_noise"]["linear"]),
        "noise_helps_narrowest": above(smallest["with_noise"]["linear"], smallest["no_noise"]["linear"]),
        "noise_costs_decibels": above(largest["no_noise"]["test"], largest["with_noise"]["test"]),
        "learnt_by_heart": found["gaps"]["largest"] > BY_HEART,
        "pca_is_closer": widest["pca"]["test"]["mean"] > widest["no_noise"]["test"]["high"],
        "pca_code_is_worse": above(widest["no_noise"]["linear"], widest["pca"]["linear"]),
        "linear_falls_short": t["linear"]["test"]["high"] < widest["pca"]["test"]["mean"],
        # exercise 5
        "tying_helps_many": above(many_free["test"], many_tied["test"]),
        "tying_hurts_many": above(many_tied["test"], many_free["test"]),
        "tying_fits_many": above(many_free["train"], many_tied["train"]),
        "tying_helps_few": above(few_free["test"], few_tied["test"]),
        "tying_hurts_few": above(few_tied["test"], few_free["test"]),
        "tying_fits_few": above(few_free["train"], few_tied["train"]),
        "tied_overfits": ratio(few_tied) > OVERFITTED,
        "free_overfits": ratio(few_free) > OVERFITTED,
        "tied_overfits_more": ratio(few_tied) > 1.1 * ratio(few_free),
        "tied_overfits_less": ratio(few_tied) < ratio(few_free) / 1.1,
        "overtakes": t["overtaken"]["many"] is not None,
    }


def told(network: dict[str, dict[str, float]]) -> dict[str, Any]:
    """A network of reports/theory.json with the means that texts mention most: `psnr` in dB and `probe`, a fraction."""
    return network | {"psnr": network["test"]["mean"], "probe": network["linear"]["mean"]}


def above(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether all values of one measure are larger than all of the other, from their `low` and `high`."""
    return one["low"] > other["high"]


def ratio(row: dict[str, Any]) -> float:
    """Mean test error as a multiple of the mean training error; infinity if the latter is 0."""
    return row["test"]["mean"] / row["train"]["mean"] if row["train"]["mean"] else math.inf


def gaps(sweep: list[dict]) -> dict[str, Any]:
    """By how many decibels training images are closer than test images without noise: the `largest`, and its `code`."""
    found = {row["code"]: row["no_noise"]["train"]["mean"] - row["no_noise"]["test"]["mean"] for row in sweep}
    code = max(found, key=found.__getitem__)
    return {"code": code, "largest": found[code]}


def n_parameters(widths: list[int]) -> dict[str, int]:
    """Number of trained weights of a stacked autoencoder, tied and untied, from the widths of input and encoder."""
    kernels, biases = sum(map(math.prod, pairwise(widths))), sum(widths[1:]) + sum(widths[:-1])
    return {"tied": kernels + biases, "untied": 2 * kernels + biases}
