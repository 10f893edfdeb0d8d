"""The settings of the tasks: from params.yaml if it has them, or tiny ones for a quick trial."""

from dataclasses import replace

from benchmarks.tasks import Pretraining, Replicates
from stages.common.params import load_params


def pretraining(quick: bool) -> Pretraining:
    """The pre-training of params.yaml with masking, but only two epochs."""
    params = load_params()
    task = Pretraining(
        units=params.network.units,
        n=60_000,
        batch_size=params.pretrain.batch_size,
        epochs=2,
        learning_rate=params.pretrain.learning_rate,
        corruption="masking",
        noise=params.noise,
        models=params.pretrain.models,
    )
    return replace(task, units=[32, 16], n=2000, models=2) if quick else task


def replicates(quick: bool) -> Replicates:
    """A pair of classifiers with the settings of `finetune` in params.yaml, but with only 1,000 steps each."""
    params = load_params()
    task = Replicates(
        units=params.network.units,
        n_labels=params.n_labels,
        steps=1000,
        n_test=10_000,
        pairs=1,
        n_jobs=2,
        **params.finetune.model_dump(exclude={"steps"}),
    )
    return replace(task, units=[16, 8], n_labels=100, steps=20, n_test=200, n_jobs=1) if quick else task
