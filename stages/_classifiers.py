"""What the stages finetune and baseline share: everything except the initial weights of the encoder."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import delayed

from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers
from dae.processes import workers
from stages._watched import EVERY
from stages.common.files import atomic_write, load_array, load_images, save_array, save_model, save_table
from stages.common.params import Params
from stages.common.process import n_jobs
from stages.common.progress import Progress


def classifier_settings(params: Params, arm: str) -> ClassifierSettings:
    """The settings of an arm's classifiers, from its section of params.yaml: `finetune` or `baseline`."""
    how = getattr(params, arm).model_dump()
    return ClassifierSettings(units=tuple(params.network.units), n_classes=len(params.classes), **how)


def classifier_jobs(
    runs: pd.DataFrame, encoders: Sequence[Sequence[np.ndarray]], settings: ClassifierSettings
) -> Iterator[tuple[ClassifierJob, ClassifierSettings]]:
    """Yield a job and its settings for each row of `runs`, the table that the stage split planned.

    For `encoders` see `train_arm`.
    """
    images, labels = load_images("data/raw/train_images.npy"), load_array("data/raw/train_labels.npy")
    test_images, draws = load_images("data/raw/test_images.npy"), load_array("data/split/draws.npy")
    for run in runs.itertuples():
        rows = draws[run.draw]
        watched = test_images[::EVERY]
        yield ClassifierJob(images[rows], labels[rows], test_images, encoders[run.dae], run.seed, watched), settings


def train_arm(name: str, params: Params, encoders: Sequence[Sequence[np.ndarray]]) -> None:
    """Train all runs of an arm; save the test probabilities, the history and the first run's model.

    Also save, for each run and entry of its history, the classes predicted for the watched images.

    Args:
        name: the arm's section of params.yaml, and its folder below data/.
        params: all parameters.
        encoders: one list `[kernel_1, bias_1, ...]` a dAE; empty lists train the arm without pre-training.
    """
    runs = pd.read_csv("data/split/runs.csv")
    settings = classifier_settings(params, name)
    processes = min(n_jobs(), len(runs))
    progress = Progress(len(runs), "run")
    probabilities, history, watched = [], [], []
    for number, result in enumerate(train_classifiers(classifier_jobs(runs, encoders, settings), processes), start=1):
        if number == 1:
            first_weights = result.weights
        probabilities.append(result.probabilities)
        watched.append(result.watched)
        history += [{"run": number, "step": step, "loss": loss} for step, loss in result.history]
        progress.step()
    save_array(f"data/{name}/probabilities.npy", np.stack(probabilities))
    save_array(f"data/{name}/watched.npy", np.stack(watched))
    save_table(f"reports/history/{name}.csv", pd.DataFrame(history))
    # a worker makes the file, because it has loaded TensorFlow already; loading it here would take seconds
    (model,) = workers(processes)([delayed(_saved_classifier)(settings, first_weights)])
    with atomic_write(f"data/{name}/classifier.keras") as partial:
        partial.write_bytes(model)


def _saved_classifier(settings: ClassifierSettings, weights: list[np.ndarray]) -> bytes:
    """The content of a .keras file, returned because a worker on another machine cannot write to this one's disk."""
    from dae.core.networks import build_classifier

    classifier = build_classifier(len(weights[0]), settings.units, settings.dropout, settings.n_classes)
    classifier.set_weights(weights)
    with tempfile.TemporaryDirectory() as folder:
        save_model(f"{folder}/classifier.keras", classifier)
        return Path(folder, "classifier.keras").read_bytes()
