"""Evidence for the theory exercises, from small autoencoders of several kinds: reports/theory.json, data/theory/."""

import numpy as np

from dae.autoencoders import train_autoencoders
from stages.common.files import load_array, load_images, save_arrays, save_json
from stages.common.params import Params
from stages.common.process import n_jobs, run
from stages.common.progress import Progress
from stages.exercises import code_sizes, overcomplete, tasks, tied
from stages.exercises.inputs import Inputs, load_seed, settings

EXERCISES = (tasks, overcomplete, code_sizes, tied)
DRAWS, PROBED = 5, 2000  # number of label draws that train probes, and at most this number of images of each


def main(params: Params) -> dict:
    """Train all exercises' autoencoders and save the evidence; returns the training times of exercise 5, in seconds."""
    inputs = load_inputs(params)
    jobs = {name: job for exercise in EXERCISES for name, job in exercise.jobs(inputs, params).items()}
    # wide autoencoders take longest; they start first, so that none of them runs alone at the end
    jobs = dict(sorted(jobs.items(), key=lambda item: -max(item[1][1].units)))
    progress, results = Progress(len(jobs), "autoencoder"), {}
    for name, result in zip(jobs, train_autoencoders(jobs.values(), n_jobs()), strict=True):
        results[name] = result
        progress.step(name)
    facts: dict = {"steps": settings(params, (1,)).steps}
    arrays: dict[str, np.ndarray] = {}
    for exercise in EXERCISES:
        found, shown = exercise.measure(results, inputs, params)
        facts |= found
        arrays |= shown
    save_json("reports/theory.json", facts)
    save_arrays("data/theory/evidence.npz", **arrays)
    return {f"seconds_{kind}": round(results[f"many images, {kind} weights"].seconds, 1) for kind in ("free", "tied")}


def load_inputs(params: Params) -> Inputs:
    """Load the images, and the labelled images of the pipeline's first replicates."""
    train, train_labels = load_images("data/raw/train_images.npy"), load_array("data/raw/train_labels.npy")
    drawn = load_array("data/split/draws.npy")[:DRAWS, :PROBED]
    return Inputs(
        train=train[: params.theory.images],
        train_labels=train_labels[: params.theory.images],
        test=load_images("data/raw/test_images.npy"),
        test_labels=load_array("data/raw/test_labels.npy"),
        labelled=train[drawn],
        labels=train_labels[drawn],
        seed=load_seed(params),
        query_seed=load_seed(params, "queries"),
    )


if __name__ == "__main__":
    run(main)
