"""What the stages finetune and baseline share: all but the initial weights of the encoder."""

import numpy as np
import pandas as pd
from joblib import delayed

from dae.replicates import Recipe, train_replicates, workers
from stages._params import Params
from stages._stage import Progress, load_array, load_images, n_jobs, save_array, save_model, save_table


def train_arm(name: str, params: Params, encoder: list[np.ndarray] | None) -> None:
    """Train all replicates of an arm and save test probabilities, history and the first replicate's model."""
    settings = params.finetune
    recipe = Recipe(
        units=tuple(params.network.units),
        dropout=settings.dropout,
        masking=settings.masking,
        batch_size=settings.batch_size,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
    )
    jobs = min(n_jobs(), params.replicates)
    replicates = train_replicates(
        load_images("data/raw/train_images.npy"),
        load_array("data/raw/train_labels.npy"),
        load_array("data/split/draws.npy"),
        load_images("data/raw/test_images.npy"),
        recipe,
        encoder,
        load_array("data/split/seeds.npy").tolist(),
        jobs,
    )
    progress = Progress(params.replicates, "replicate")
    probabilities, history = [], []
    for number, replicate in enumerate(replicates, start=1):
        if number == 1:
            first_weights = replicate.weights
        probabilities.append(replicate.probabilities)
        history += [{"replicate": number, "step": step, "loss": loss} for step, loss in replicate.history]
        progress.step()
    save_array(f"data/{name}/probabilities.npy", np.stack(probabilities))
    save_table(f"reports/history/{name}.csv", pd.DataFrame(history))
    # in a worker, where TensorFlow runs already
    list(workers(jobs)([delayed(_save_classifier)(f"data/{name}/classifier.keras", recipe, first_weights)]))


def _save_classifier(path: str, recipe: Recipe, weights: list[np.ndarray]) -> None:
    from dae.networks import build_classifier

    classifier = build_classifier(len(weights[0]), recipe.units, recipe.dropout)
    classifier.set_weights(weights)
    save_model(path, classifier)
