"""The project's own code, as the stages use it.

TensorFlow is imported only in functions that train in this process; as in the stages, workers train the replicates.
"""

import functools
import math
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.contenders.common import he_normal, images, labels, limit_of, tensorflow_matrix
from benchmarks.tasks import PIXELS, Answer, Limit, Pretraining, Replicates
from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers


def pretrain(task: Pretraining) -> Answer:
    """Train the dAEs at the same time, like `dae.denoising.train_daes`.

    That function compiles in each call. Here the trainers are cached, so that compiling is not timed, as it is not for
    the other contenders.
    """
    from dae.core.networks import initial_weights
    from dae.core.seeds import derive

    trainers = _trainers(tuple(task.units), task.corruption, task.noise, task.models)
    data, steps = images("train", task.n), math.ceil(task.n / task.batch_size)

    def train(seed: int) -> float:
        history = trainers[seed].fit(
            data,
            weights=initial_weights(trainers[seed].model, derive(seed, "weights")),
            batch_size=task.batch_size,
            steps=task.epochs * steps,
            learning_rate=task.learning_rate,
            seed=seed,
            log_every=steps,
        )
        return history[-1][1]

    start = time.perf_counter()
    with ThreadPoolExecutor(task.models) as threads:
        losses = list(threads.map(train, range(task.models)))
    return {"seconds": time.perf_counter() - start, "loss": losses[-1]}


@functools.cache
def _trainers(units: tuple[int, ...], corruption: str, noise: float, models: int) -> list:
    from dae.core.networks import build_autoencoder
    from dae.core.training import Trainer, set_up_tensorflow
    from dae.denoising import denoising_loss

    set_up_tensorflow(at_once=2)
    networks = [build_autoencoder(PIXELS, units) for _ in range(models)]
    return [Trainer(network, denoising_loss(network, corruption, noise)) for network in networks]


def replicates(task: Replicates) -> Answer:
    """Train the classifiers in `task.n_jobs` processes."""
    settings = ClassifierSettings(
        tuple(task.units), task.dropout, task.masking, task.batch_size, task.steps, task.learning_rate
    )
    x, y, test = images("train", task.n_labels), labels("train", task.n_labels), images("test", task.n_test)
    encoder = he_normal([PIXELS, *task.units], 2)
    start = time.perf_counter()
    jobs = ((ClassifierJob(x, y, test, arm, seed), settings) for seed in range(task.pairs) for arm in (encoder, ()))
    results = train_classifiers(jobs, task.n_jobs)
    predicted = np.stack([result.probabilities.argmax(axis=1) for result in results])
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "accuracy": float(np.mean(predicted == labels("test", task.n_test)))}


def limit(task: Limit) -> Answer:
    """Multiply with TensorFlow, on the number of threads that `pretrain` has set."""
    return limit_of(task, tensorflow_matrix)
