"""Evidence for the theory exercises, from small autoencoders of several kinds: reports/theory.json, data/theory/."""

import math
from itertools import pairwise

import numpy as np

from dae.autoencoders import AutoencoderSettings, train_autoencoders
from dae.codes import NEIGHBOURS
from stages.common.files import load_array, load_images, save_arrays, save_json
from stages.common.params import Params
from stages.common.process import n_jobs, run
from stages.common.progress import Progress
from stages.exercises import code_sizes, overcomplete, samples, tasks, tied
from stages.exercises.inputs import Inputs, load_seed, settings

EXERCISES = (tasks, samples, overcomplete, code_sizes, tied)
DRAWS, PROBED = 5, 2000  # number of label draws that train probes, and at most this number of images of each


def main(params: Params) -> dict:
    """Train all exercises' autoencoders and save the evidence; returns the training times of exercise 5, in seconds."""
    inputs = load_inputs(params)
    jobs = {name: job for exercise in EXERCISES for name, job in exercise.jobs(inputs, params).items()}
    # those that take longest start first, so that none of them runs alone at the end
    jobs = dict(sorted(jobs.items(), key=lambda item: -work(inputs.n_pixels, item[1][1])))
    progress, results = Progress(len(jobs), "autoencoder"), {}
    for name, result in zip(jobs, train_autoencoders(jobs.values(), n_jobs()), strict=True):
        results[name] = result
        progress.step(name)
    facts: dict = {"steps": settings(params, (1,)).steps, "draws": len(inputs.labels), "neighbours": NEIGHBOURS}
    arrays: dict[str, np.ndarray] = {}
    for exercise in EXERCISES:
        found, shown = exercise.measure(results, inputs, params)
        facts |= found
        arrays |= shown
    save_json("reports/theory.json", facts)
    save_arrays("data/theory/evidence.npz", **arrays)
    seconds = {kind: [r.seconds for r in inputs.repeats(tied.name("many", kind), results)] for kind in ("free", "tied")}
    return {f"seconds_{kind}": round(min(found), 1) for kind, found in seconds.items()}


def work(n_pixels: int, settings: AutoencoderSettings) -> int:
    """Multiplications of a training, but for a factor that hardly differs from one to another."""
    return settings.steps * sum(map(math.prod, pairwise((n_pixels, *settings.units))))


def load_inputs(params: Params) -> Inputs:
    """Load the images, and the labelled images of the pipeline's first replicates."""
    train, train_labels = load_images("data/raw/train_images.npy"), load_array("data/raw/train_labels.npy")
    drawn = load_array("data/split/draws.npy")[:DRAWS, :PROBED]
    return Inputs(
        train=train[: params.theory.images],
        train_labels=train_labels[: params.theory.images],
        many=train[: params.theory.tasks.images],
        test=load_images("data/raw/test_images.npy"),
        test_labels=load_array("data/raw/test_labels.npy"),
        labelled=train[drawn],
        labels=train_labels[drawn],
        seeds=tuple(load_seed(params, n) for n in range(params.theory.seeds)),
        query_seed=load_seed(params, "queries"),
        noise=params.theory.noise,
    )


if __name__ == "__main__":
    run(main)
