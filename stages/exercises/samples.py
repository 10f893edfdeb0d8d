"""Exercise 1, generation: images from random codes, judged by a classifier and by the features it has learnt."""

from dataclasses import replace

import numpy as np

from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers
from dae.judges import frechet_distance, look
from stages.common.params import Params
from stages.common.process import n_jobs
from stages.exercises.inputs import Evidence, Inputs, Jobs, Results, long, settings

SURE = 0.95  # the probability of a class from which the classifier counts as sure
SHOWN = 40  # made-up images on the figure


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Train two autoencoders that differ in their code alone; each makes as many images as half the test set has."""
    plain = long(params, tuple(params.theory.tasks.units))
    job = inputs.job(train=inputs.many, n_samples=len(inputs.test) // 2, queries=inputs.queries["plain"])
    return {"plain": (job, plain), "variational": (job, replace(plain, variational=True))}


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """For each set of images, the share that a classifier is sure of, and the Fréchet distance to half the test set.

    The sets: `real`, the other half; `variational` and `plain`, from the autoencoders; `gaussian`, from a normal
    distribution with the mean and covariance of the training images' pixels, which knows no digit.
    """
    rng, half = np.random.default_rng(inputs.query_seed), len(inputs.test) // 2
    shuffled = inputs.scaled[rng.permutation(len(inputs.test))]  # the test set's two halves have different writers
    pixels = inputs.train / np.float32(255)
    gaussian = rng.multivariate_normal(pixels.mean(axis=0), np.cov(pixels, rowvar=False), half)
    sets = {
        "real": shuffled[half : 2 * half],
        "variational": results["variational"].samples,
        "plain": results["plain"].samples,
        "gaussian": np.clip(gaussian, 0, 1).astype(np.float32),
    }
    network = ClassifierSettings(
        units=(16, 32, 128),
        dropout=0.2,
        masking=0.0,
        batch_size=params.theory.batch_size,
        steps=settings(params, (1,)).steps,
        learning_rate=params.theory.learning_rate,
        convolutional=True,
        n_classes=len(params.classes),
    )
    job = ClassifierJob(inputs.train[inputs.known], inputs.train_labels[inputs.known], inputs.test, [], inputs.seeds[0])
    (judge,) = train_classifiers([(job, network)], n_jobs())
    reference, *looks = look(judge.weights, network.units, [shuffled[:half], *sets.values()], n_jobs())
    right = judge.probabilities.argmax(axis=1) == inputs.test_labels
    judged = {
        name: {
            "sure": round(float((found.confidences >= SURE).mean()), 4),
            "frechet": round(frechet_distance(reference.features, found.features), 3),
        }
        for name, found in zip(sets, looks, strict=True)
    }
    facts = {"classifier": round(float(right.mean()), 4), "sure": SURE, "images": half, "sets": judged}
    facts["features"] = network.units[-1]
    return {"samples": facts}, {name: images[:SHOWN] for name, images in sets.items()}
