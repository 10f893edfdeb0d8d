"""Controls: each changes one thing in an arm of the main pipeline, on its replicates: reports/studies/controls.*.

An explanation of the gain is refuted if the control that it predicts to fail does not. What is compared was written
down before any of it was computed. The arms themselves are those of the stages finetune and baseline.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from dae import metrics, statistics
from dae.classifiers import ClassifierSettings, train_classifiers
from dae.core.seeds import derive
from stages import _sources
from stages._classifiers import classifier_jobs, classifier_settings
from stages._daes import dae_settings
from stages._encoders import load_encoders
from stages.common.files import load_array, load_json, save_json, save_table
from stages.common.params import DATASETS, Params
from stages.common.process import n_jobs
from studies._params import Controls, StudyParams, run_study
from studies._study import Study, digest, question

MEASURES = ("accuracy", "log_loss", "calibration_error")
Starts = Callable[[], Sequence[Sequence[np.ndarray]]]  # returns initial encoders, which the replicates take in turn

# what is compared: the first row minus the second
CONTRASTS = {
    "gain": ("with", "without"),
    # the same settings in both arms: those of either
    "gain_settings_of_with": ("with", "without_settings_of_with"),
    "gain_settings_of_without": ("with_settings_of_without", "without"),
    # features, or only the size of the weights?
    "shuffled": ("shuffled", "without_settings_of_with"),
    "features": ("with", "shuffled"),
    # noise, or only the autoencoder?
    "plain": ("plain", "without"),
    "noise": ("with", "plain"),
    # masking in pre-training by masking in fine-tuning
    "noise_unmasked": ("with_unmasked", "plain_unmasked"),
    "noise_masked": ("with_masked", "plain_masked"),
    "masking_after_noise": ("with_masked", "with_unmasked"),
    "masking_after_plain": ("plain_masked", "plain_unmasked"),
    # features alone, under a classifier that cannot change them
    "frozen": ("frozen", "frozen_random"),
    "freezing": ("frozen", "with"),
    "freezing_first": ("frozen_first", "with"),
    # the cost of pre-training, spent on the baseline
    "averaged_2": ("with", "averaged_2"),
    "averaged_4": ("with", "averaged_4"),
    # other knowledge about images, in both arms
    "gain_moved": ("with_moved", "without_moved"),
    "moving": ("without_moved", "without"),
    # choices of the implementation
    "rescaling_with": ("with", "with_unrescaled"),
    "rescaling_without": ("without", "without_unrescaled"),
    "one_draw_with": ("with_one_draw", "with"),
    "one_draw_without": ("without_one_draw", "without"),
    # another data set, with the settings of this one
    "gain_elsewhere": ("with_elsewhere", "without_elsewhere"),
}


def main(params: Params, study_params: StudyParams) -> None:
    """Train all rows, compare them, and save accuracies and differences."""
    rows = Rows(params, study_params.controls)
    found = rows.all()
    table = pd.concat(
        pd.DataFrame(values).assign(row=name, replicate=range(1, rows.n + 1)) for name, values in found.items()
    )
    save_table("reports/studies/controls.csv", table[["row", "replicate", *MEASURES]])
    save_json(
        "reports/studies/controls.json",
        {
            "replicates": rows.n,
            "rows": {name: {m: round(float(np.mean(v[m])), 6) for m in MEASURES} for name, v in found.items()},
            "contrasts": {
                name: contrast(found[one], found[other], params.evaluate.confidence)
                for name, (one, other) in CONTRASTS.items()
            },
        },
    )


def contrast(one: dict, other: dict, confidence: float) -> dict:
    """The paired difference of two rows in each measure, with its t interval.

    `holds` tells whether the difference in accuracy stays apart from 0 when the interval is widened for the number of
    contrasts (Bonferroni).
    """
    found: dict[str, Any] = {}
    for measure in MEASURES:
        differences = np.array(one[measure]) - np.array(other[measure])
        low, high = statistics.t_interval(differences, confidence)
        found[measure] = {"mean": round(float(differences.mean()), 6), "low": round(low, 6), "high": round(high, 6)}
        if measure == "accuracy":
            low, high = statistics.t_interval(differences, 1 - (1 - confidence) / len(CONTRASTS))
            found["holds"] = low > 0 or high < 0
    return found


class Rows:
    """Trains the classifiers of all rows of the table, on the first replicates of the main pipeline.

    Attributes:
        n: number of replicates.
        replicates: what questions say of them.
    """

    def __init__(self, params: Params, settings: Controls):
        self.params, self.settings, self.n = params, settings, settings.replicates
        self.runs = pd.read_csv("data/split/runs.csv").query("not repeat").head(self.n)
        rows = load_array("data/split/draws.npy")[self.runs["draw"]]
        self.replicates = {"runs": self.runs.to_dict("records"), "rows": digest([rows])}
        # the arms are there already, and two pairs of rows are a question each
        questions = len({row for pair in CONTRASTS.values() for row in pair}) - 4
        self.study = Study(params, questions, "studies.controls")
        self.own = {"with": classifier_settings(params, "finetune"), "without": classifier_settings(params, "baseline")}
        encoders = load_encoders(params.pretrain.models)
        self.random: tuple[Any, Starts] = (None, lambda: [()])
        self.pretrained: tuple[Any, Starts] = ([digest(encoder) for encoder in encoders], lambda: encoders)

    def all(self) -> dict[str, dict[str, list[float]]]:
        """For each row its measures, a value for each replicate."""
        s, with_, without = self.settings, self.own["with"], self.own["without"]
        frozen = replace(with_, frozen=len(with_.units), learning_rate=s.frozen_learning_rate)
        plain, masked = self.daes("plain", noise=0.0), replace(with_, masking=s.masking)
        unmasked = replace(with_, masking=0.0)
        found = {arm: self.of_arm(folder) for arm, folder in (("with", "finetune"), ("without", "baseline"))}
        for name, settings, start in (
            ("without_settings_of_with", with_, self.random),
            ("with_settings_of_without", without, self.pretrained),
            ("shuffled", with_, self.shuffled()),
            ("plain", with_, plain),
            ("with_masked", masked, self.pretrained),
            ("with_unmasked", unmasked, self.pretrained),
            ("plain_masked", masked, plain),
            ("plain_unmasked", unmasked, plain),
            ("frozen", frozen, self.pretrained),
            ("frozen_random", frozen, self.untrained()),
            ("with_moved", replace(with_, augment=True), self.pretrained),
            ("without_moved", replace(without, augment=True), self.random),
            ("with_unrescaled", replace(with_, rescaled=False), self.daes("unrescaled", rescaled=False)),
            ("without_unrescaled", replace(without, rescaled=False), self.random),
            ("with_one_draw", *self.by_one_draw("with")),
            ("without_one_draw", *self.by_one_draw("without")),
        ):
            found[name] = self.train(name, settings, start)
        found["frozen_first"] = self.train_frozen_first(frozen, with_)
        return found | self.averaged() | self.elsewhere()

    def of_arm(self, folder: str) -> dict[str, list[float]]:
        """The measures of an arm of the main pipeline."""
        return measure(load_array(f"data/{folder}/probabilities.npy")[: self.n], self.study.test_labels)

    def train(self, name: str, settings: ClassifierSettings, start: tuple[Any, Starts]) -> dict[str, list[float]]:
        """The measures of classifiers with these settings, from encoders that `start` names and returns."""
        key, encoders = start
        return self.study.cached(
            question(name, settings, start=key, **self.replicates),
            lambda: measure(self.probabilities(settings, encoders()), self.study.test_labels),
        )

    def probabilities(
        self, settings: ClassifierSettings, encoders: Sequence[Sequence[np.ndarray]], seed: str | None = None
    ) -> list[np.ndarray]:
        """Class probabilities of the test images of each replicate; `seed` names other seeds than the replicates'."""
        runs = self.runs.assign(dae=self.runs["dae"] % len(encoders))
        if seed is not None:
            runs["seed"] = [derive(old, seed) for old in runs["seed"]]
        results = train_classifiers(classifier_jobs(runs, encoders, settings), min(n_jobs(), self.n))
        return [result.probabilities for result in results]

    def daes(self, name: str, **changes: Any) -> tuple[Any, Starts]:
        """Encoders of dAEs with the main pipeline's settings, except for `changes`; trained if a row needs them."""
        how = self.params.pretrain.model_dump() | {"dae": [self.params.corruption, self.params.noise, changes]}

        @cache
        def encoders() -> Sequence[Sequence[np.ndarray]]:
            settings = [dae_settings(self.params, **changes)] * self.settings.models
            return [encoder for encoder, _ in self.study.pretrain(f"controls {name}", settings, test=False)]

        return [how, self.settings.models], encoders

    def shuffled(self) -> tuple[Any, Starts]:
        """The main pipeline's encoders with each array's weights in random order: their sizes, not their features."""
        key, encoders = self.pretrained
        rng = np.random.default_rng(derive(self.params.seed, "shuffled"))
        return ["shuffled", key], lambda: [
            [rng.permutation(array.ravel()).reshape(array.shape) for array in encoder] for encoder in encoders()
        ]

    def untrained(self) -> tuple[Any, Starts]:
        """Encoders with random initial weights, as many as the main pipeline has dAEs."""

        def encoders() -> Sequence[Sequence[np.ndarray]]:
            from dae.core.networks import build_autoencoder, initial_weights

            units: list[int] = self.params.network.units
            model = build_autoencoder(self.study.images.shape[1], units)
            seeds = [derive(self.params.seed, "untrained", number) for number in range(self.params.pretrain.models)]
            return [initial_weights(model, seed)[: 2 * len(units)] for seed in seeds]

        return ["untrained", self.params.pretrain.models], encoders

    def by_one_draw(self, arm: str) -> tuple[ClassifierSettings, tuple[Any, Starts]]:
        """Settings and start that an arm would have if they were chosen inside one label draw, see `studies.tune`."""
        choice = load_json("reports/studies/tune.json")[arm]["by_one_draw"]
        names = ("learning_rate", "dropout", "masking", "steps")
        settings = replace(self.own[arm], **{name: choice[name] for name in names})
        if arm == "without":
            return settings, self.random
        return settings, self.daes("first", **{name: choice[name] for name in ("corruption", "noise", "epochs")})

    def train_frozen_first(self, frozen: ClassifierSettings, free: ClassifierSettings) -> dict[str, list[float]]:
        """The output layer alone is trained first, for half of the steps; then all layers, with the arm's settings."""
        half = replace(frozen, steps=free.steps // 2)

        def answer() -> dict:
            jobs = list(classifier_jobs(self.runs, self.pretrained[1](), half))
            begun = train_classifiers(jobs, min(n_jobs(), self.n))
            going_on = [
                (replace(job, encoder=found.weights), replace(free, steps=free.steps - half.steps))
                for (job, _), found in zip(jobs, begun, strict=True)
            ]
            results = train_classifiers(going_on, min(n_jobs(), self.n))
            return measure([found.probabilities for found in results], self.study.test_labels)

        asked = question("frozen_first", free, start=self.pretrained[0], first=[half.steps, half.learning_rate])
        return self.study.cached(asked | self.replicates, answer)

    def averaged(self) -> dict[str, dict[str, list[float]]]:
        """Baselines whose probabilities are averaged over two and over four trainings on the same labels."""

        def answer() -> dict:
            total = load_array("data/baseline/probabilities.npy")[: self.n].astype(np.float64)
            found = {}
            for number in (2, 3, 4):
                total = total + np.array(self.probabilities(self.own["without"], [()], f"averaged {number}"))
                found[f"averaged_{number}"] = measure(total / number, self.study.test_labels)
            return found

        asked = question("averaged", self.own["without"], **self.replicates)
        found = self.study.cached(asked, answer)
        return {name: found[name] for name in ("averaged_2", "averaged_4")}

    def elsewhere(self) -> dict[str, dict[str, list[float]]]:
        """Both arms on the other data set, with the same settings; the other data are fetched if they are needed."""
        other = "fashion_mnist" if self.params.dataset == "mnist" else "mnist"
        own = {arm: replace(how, n_classes=len(DATASETS[other]["classes"])) for arm, how in self.own.items()}

        def answer() -> dict:
            arrays = _sources.find(other)
            study = Study(self.params, 0, "studies.controls")
            study.images, study.test_images = (
                arrays[f"{part}_images"].reshape(len(arrays[f"{part}_images"]), -1) for part in ("train", "test")
            )
            study.labels, study.test_labels = arrays["train_labels"], arrays["test_labels"]
            settings = [dae_settings(self.params)] * self.settings.models
            encoders = [encoder for encoder, _ in study.pretrain("controls elsewhere", settings, test=False)]
            draws = [study.draw("controls elsewhere", r, self.params.n_labels) for r in range(self.n)]
            return {
                f"{arm}_elsewhere": measure(
                    list(study.probabilities("controls elsewhere", draws, own[arm], start)), study.test_labels
                )
                for arm, start in (("with", encoders), ("without", [()]))
            }

        asked = question("elsewhere", self.own["with"], without=question("", self.own["without"]))
        how = [self.params.pretrain.model_dump(), self.params.corruption, self.params.noise, self.settings.models]
        draws = [self.n, self.params.n_labels, self.params.split.stratified]
        return self.study.cached(asked | {"dae": how, "data": other, "draws": draws}, answer)


def measure(probabilities: Iterable[np.ndarray], labels: np.ndarray) -> dict[str, list[float]]:
    """`MEASURES` of the class probabilities of each replicate."""
    probabilities = list(probabilities)
    return {name: [metrics.METRICS[name](p, labels) for p in probabilities] for name in MEASURES}


if __name__ == "__main__":
    run_study(main)
