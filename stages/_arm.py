"""What the stages finetune and baseline share: all but the initial weights of the encoder."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import delayed

from dae.processes import workers
from dae.replicates import Recipe, Replicate, train_replicates
from stages._params import Params
from stages._stage import Progress, load_array, load_images, n_jobs, save_array, save_model, save_table, whole


def recipe_of(params: Params) -> Recipe:
    """The recipe that params.yaml gives for the classifiers of both arms."""
    return Recipe(units=tuple(params.network.units), **params.finetune.model_dump())


def train_arm(name: str, params: Params, encoders: list[Sequence[np.ndarray]]) -> None:
    """Train all runs of an arm and save test probabilities, history and the first run's model.

    Args:
        name: of the arm's folder.
        params: all of them.
        encoders: of each dAE, kernels and biases in turn; empty ones for the arm without.
    """
    images, labels = load_images("data/raw/train_images.npy"), load_array("data/raw/train_labels.npy")
    test_images, draws = load_images("data/raw/test_images.npy"), load_array("data/split/draws.npy")
    runs = pd.read_csv("data/split/runs.csv")
    replicates = (
        Replicate(images[draws[run.draw]], labels[draws[run.draw]], test_images, encoders[run.dae], run.seed)
        for run in runs.itertuples()
    )
    recipe = recipe_of(params)
    jobs = min(n_jobs(), len(runs))
    progress = Progress(len(runs), "run")
    probabilities, history = [], []
    for number, trained in enumerate(train_replicates(replicates, recipe, jobs), start=1):
        if number == 1:
            first_weights = trained.weights
        probabilities.append(trained.probabilities)
        history += [{"run": number, "step": step, "loss": loss} for step, loss in trained.history]
        progress.step()
    save_array(f"data/{name}/probabilities.npy", np.stack(probabilities))
    save_table(f"reports/history/{name}.csv", pd.DataFrame(history))
    # in a worker, where TensorFlow runs already
    (model,) = workers(jobs)([delayed(_saved_classifier)(recipe, first_weights)])
    with whole(f"data/{name}/classifier.keras") as partial:
        partial.write_bytes(model)


def _saved_classifier(recipe: Recipe, weights: list[np.ndarray]) -> bytes:
    """The content of a .keras file; the worker may see no file of this machine."""
    from dae.networks import build_classifier

    classifier = build_classifier(len(weights[0]), recipe.units, recipe.dropout)
    classifier.set_weights(weights)
    with tempfile.TemporaryDirectory() as folder:
        save_model(f"{folder}/classifier.keras", classifier)
        return Path(folder, "classifier.keras").read_bytes()
