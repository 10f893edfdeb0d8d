"""The best settings of each arm, by cross-validation on labelled images only: reports/studies/tune.*.

Random search with successive halving (Jamieson & Talwalkar, AISTATS 2016): every configuration is tried on a few label
draws, and the best go on to more draws. Both arms try the same number of configurations, from the same ranges; with
pre-training, a configuration has a dAE too, from a set of dAEs that are trained once. Beside them, and not among those
that can be chosen, further configurations freeze the encoder, for the whole training or for its first half. No
evaluation uses these label draws, and no test image is read.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from dae import metrics
from dae.classifiers import ClassifierJob, ClassifierResult, ClassifierSettings, train_classifiers
from dae.core.seeds import derive
from reporting.tune import figures
from stages._classifiers import classifier_settings
from stages._daes import dae_settings
from stages._figures import save_figure
from stages.common.files import save_json, save_table
from stages.common.params import Params
from stages.common.process import n_jobs
from studies._params import StudyParams, Tune, run_study
from studies._study import Study, question

SECTIONS = {"without": "baseline", "with": "finetune"}  # of params.yaml, one for each arm
TUNED = ("learning_rate", "dropout", "masking", "steps")
GENTLE = 0.1  # after its encoder was frozen, a classifier goes on at this multiple of the learning rate
EDGE = 0.05  # a chosen value within this share of its range's ends lies on an edge


@dataclass(frozen=True)
class Tried:
    """One configuration.

    Attributes:
        settings: of the classifier.
        dae: corruption, level and epochs of the dAE; None without pre-training.
        way: `free`; `frozen`, the encoder keeps its weights; `frozen_first`, it keeps them in the first half of the
            steps, and in the second half all layers are trained at a lower learning rate (Géron 2019, chapter 11).
    """

    settings: ClassifierSettings
    dae: tuple[str, float, int] | None = None
    way: str = "free"

    def columns(self) -> dict:
        """What the tables tell of it."""
        corruption, noise, epochs = self.dae or (None, None, None)
        found = {"way": self.way, "corruption": corruption, "noise": noise, "epochs": epochs}
        return found | {name: getattr(self.settings, name) for name in TUNED}


def main(params: Params, study_params: StudyParams) -> None:
    """Search, then save all configurations, the choice of each arm, and what other choices would have been."""
    settings = study_params.tune
    search = Search(params, settings)
    for arm in SECTIONS:
        search.halve(arm, configurations(params, settings, arm))
    search.freeze(configurations(params, settings, "with", frozen=True))
    rows = [
        {
            "arm": arm,
            **tried.columns(),
            "draws": len(search.scores[arm][tried]),
            "first_draws": mean(search.scores[arm][tried][: settings.draws[0]]),
            "accuracy": mean(search.scores[arm][tried]),
            "chosen": tried == search.ranked(arm)[0],
        }
        for arm in SECTIONS
        for tried in [*search.ranked(arm), *search.ranked(arm, free=False)]
    ]
    table = pd.DataFrame(rows)
    save_table("reports/studies/tune.csv", table)
    save_json("reports/studies/tune.json", {arm: summary(search, arm) for arm in SECTIONS})
    save_figure("reports/studies/figures/tune/search", figures.search, table)


class Search:
    """Successive halving of the configurations of both arms.

    Attributes:
        scores: for each arm and configuration, its accuracy on each label draw so far, a fraction.
        temperatures: likewise, the temperatures that calibrate it best.
    """

    def __init__(self, params: Params, settings: Tune):
        self.params, self.settings = params, settings
        self.alive = [settings.configurations, *settings.keep]  # number of configurations in each round
        frozen = 2 * settings.frozen * len(self.alive)
        self.study = Study(params, 2 * sum(self.alive) + frozen, "studies.tune")
        self.scores: dict[str, dict[Tried, list[float]]] = {arm: {} for arm in SECTIONS}
        self.temperatures: dict[str, dict[Tried, list[float]]] = {arm: {} for arm in SECTIONS}

    @cache  # noqa: B019, there is one search in a process
    def encoders(self) -> dict[tuple, list[np.ndarray]]:
        """Train a dAE for each combination of corruption, level and epochs; only if a configuration needs it."""
        daes = combinations(self.settings)
        how = [dae_settings(self.params, corruption=c, noise=noise, epochs=epochs) for c, noise, epochs in daes]
        return dict(zip(daes, (encoder for encoder, _ in self.study.pretrain("tune", how, test=False)), strict=True))

    def halve(self, arm: str, tried: Sequence[Tried]) -> None:
        """Try all configurations in the first round, and the best of them in each further round."""
        for number, n_alive in enumerate(self.alive):
            self.score(arm, (tried if number == 0 else self.ranked(arm))[:n_alive], number)

    def freeze(self, tried: Sequence[Tried]) -> None:
        """Try configurations that freeze the encoder, in all rounds."""
        for number in range(len(self.alive)):
            self.score("with", tried, number)

    def ranked(self, arm: str, free: bool = True) -> list[Tried]:
        """The configurations that an arm has tried: those with the most draws first, then the most accurate first."""
        scores = self.scores[arm]
        tried = [one for one in scores if (one.way == "free") == free]
        return sorted(tried, key=lambda one: (-len(scores[one]), -mean(scores[one])))

    def score(self, arm: str, tried: Sequence[Tried], number: int) -> None:
        """Add the accuracies of configurations on the draws of round `number`, counted from 0."""
        draws, start = self.settings.draws[number], sum(self.settings.draws[:number])
        asked = [
            question(
                f"{arm}, round {number + 1}",
                one.settings,
                draws=[start, draws, self.settings.folds, self.params.n_labels, self.params.split.stratified],
                dae=one.dae and [combinations(self.settings).index(one.dae), dae_question(self.params, one.dae)],
                way=one.way,
            )
            for one in tried
        ]

        def answers(missing: list[int]) -> Iterator[dict]:
            encoders: dict[Any, Any] = self.encoders() if arm == "with" else {None: []}
            return cross_validate(
                self.study,
                [(tried[i], encoders[tried[i].dae]) for i in missing],
                range(start, start + draws),
                self.settings.folds,
            )

        for one, found in zip(tried, self.study.cached_all(asked, answers), strict=True):
            self.scores[arm].setdefault(one, []).extend(found["accuracies"])
            self.temperatures[arm].setdefault(one, []).extend(found["temperatures"])


def combinations(settings: Tune) -> list[tuple[str, float, int]]:
    """Corruption, level and epochs of all dAEs."""
    allowed: dict[str, list[float]] = settings.daes.levels
    levels = [(corruption, level) for corruption, found in allowed.items() for level in found]
    return [(corruption, level, epochs) for (corruption, level), epochs in product(levels, settings.daes.epochs)]


def dae_question(params: Params, dae: tuple[str, float, int]) -> dict:
    """What a question says of a dAE."""
    return params.pretrain.model_dump(exclude={"models", "epochs"}) | {"dae": dae}


def configurations(params: Params, settings: Tune, arm: str, frozen: bool = False) -> list[Tried]:
    """Random configurations from the ranges of `tune`, all different; those that freeze the encoder in both ways."""
    base, daes = classifier_settings(params, SECTIONS[arm]), combinations(settings)
    rng = np.random.default_rng(derive(params.seed, "tune", arm, "frozen" if frozen else "free"))
    found: dict[Tried, None] = {}
    while len(found) < (2 * settings.frozen if frozen else settings.configurations):
        values: dict[str, Any] = {name: drawn(rng, name, *getattr(settings.space, name)) for name in TUNED}
        dae = daes[rng.integers(len(daes))] if arm == "with" else None
        for way in ("frozen", "frozen_first") if frozen else ("free",):
            found[Tried(replace(base, **values), dae, way)] = None
    return list(found)


def drawn(rng: np.random.Generator, name: str, low: float, high: float) -> float:
    """A value between `low` and `high`: uniform, or for a learning rate uniform in its logarithm; of two digits."""
    logarithmic = name == "learning_rate"
    value = math.exp(rng.uniform(math.log(low), math.log(high))) if logarithmic else rng.uniform(low, high)
    kind = int if name == "steps" else float
    return kind(min(max(float(f"{value:.2g}"), low), high))


def cross_validate(
    study: Study, tried: Sequence[tuple[Tried, Sequence[np.ndarray]]], draws: range, folds: int
) -> Iterator[dict]:
    """Cross-validate configurations on each label draw.

    Args:
        study: has the labelled images.
        tried: the configurations, each with the encoder that its classifiers start from, empty without pre-training.
        draws: numbers of the label draws.
        folds: of the cross-validation.

    Yields:
        For each configuration, and for each draw, of its labelled images when they are held out: `accuracies`, the
        share that is classified correctly, and `temperatures`, see `dae.metrics.fit_temperature`.
    """
    splits = []  # images and labels to train on, those held out, and the seed
    for draw in draws:
        rows = study.draw("tune", draw, study.params.n_labels)
        splitter = StratifiedKFold(folds, shuffle=True, random_state=derive(study.params.seed, "tune", draw))
        for fold, (train, out) in enumerate(splitter.split(rows, study.labels[rows])):
            splits.append((rows[train], rows[out], derive(study.params.seed, "tune", draw, fold)))

    def job(encoder: Sequence[np.ndarray], train: np.ndarray, out: np.ndarray, seed: int) -> ClassifierJob:
        return ClassifierJob(study.images[train], study.labels[train], study.images[out], encoder, seed)

    results = train_in_ways((job(encoder, *split), one) for one, encoder in tried for split in splits)
    for _ in tried:
        answer: dict[str, list[float]] = {"accuracies": [], "temperatures": []}
        for start in range(0, len(splits), folds):
            probabilities = np.concatenate([next(results).probabilities for _ in range(folds)])
            truth = study.labels[np.concatenate([out for _, out, _ in splits[start : start + folds]])]
            answer["accuracies"].append(metrics.accuracy(probabilities, truth))
            answer["temperatures"].append(metrics.fit_temperature(probabilities, truth))
        yield answer


def train_in_ways(jobs: Iterable[tuple[ClassifierJob, Tried]]) -> Iterator[ClassifierResult]:
    """Train a classifier for each job in its configuration's way; yields the results in order."""
    todo = list(jobs)
    first = [(job, begin(one)) for job, one in todo]
    if all(one.way != "frozen_first" for _, one in todo):
        yield from train_classifiers(first, n_jobs())
        return
    begun = list(train_classifiers(first, n_jobs()))
    # the second half starts from all weights of the first
    second = train_classifiers(
        [
            (replace(job, encoder=found.weights), go_on(one))
            for (job, one), found in zip(todo, begun, strict=True)
            if one.way == "frozen_first"
        ],
        n_jobs(),
    )
    for (_, one), found in zip(todo, begun, strict=True):
        yield next(second) if one.way == "frozen_first" else found


def begin(tried: Tried) -> ClassifierSettings:
    """The settings of a configuration's training, of its first half where the encoder is frozen first."""
    settings = tried.settings if tried.way == "free" else replace(tried.settings, frozen=len(tried.settings.units))
    return replace(settings, steps=settings.steps // 2) if tried.way == "frozen_first" else settings


def go_on(tried: Tried) -> ClassifierSettings:
    """The settings of the second half, where the encoder is frozen first."""
    settings = tried.settings
    return replace(settings, steps=settings.steps - settings.steps // 2, learning_rate=GENTLE * settings.learning_rate)


def summary(search: Search, arm: str) -> dict:
    """An arm's choice, with the accuracy and the ranges on whose edge it lies; the choice by the first round alone.

    With pre-training, also the best configuration of each way to freeze the encoder.
    """
    scores, ranked, settings = search.scores[arm], search.ranked(arm), search.settings
    n = settings.draws[0]
    first = max(scores, key=lambda one: (one.way == "free", mean(scores[one][:n])))
    chosen = ranked[0]
    temperature = round(mean(search.temperatures[arm][chosen]), 2)
    found = {
        "chosen": chosen.columns()
        | {"temperature": temperature, "accuracy": round(mean(scores[chosen]), 5), "draws": len(scores[chosen])},
        "edges": edges(chosen, settings),
        "by_first_draws": first.columns() | {"accuracy": round(mean(scores[first][:n]), 5), "draws": n},
    }
    for one in search.ranked(arm, free=False):
        found.setdefault(one.way, one.columns() | {"accuracy": round(mean(scores[one]), 5)})
    return found


def edges(chosen: Tried, settings: Tune) -> list[str]:
    """The ranges on whose edge a choice lies, unless no value beyond is allowed, or only the cost forbids it."""
    found = []
    for name in TUNED:
        low, high = getattr(settings.space, name)
        value = getattr(chosen.settings, name)
        if name == "learning_rate":
            value, low, high = map(math.log, (value, low, high))
        place = (value - low) / (high - low)
        if (place > 1 - EDGE and name != "steps") or (place < EDGE and low != 0):
            found.append(name)
    if chosen.dae:
        levels = settings.daes.levels[chosen.dae[0]]
        if chosen.dae[1] in (min(levels), max(levels)):
            found.append("noise")
    return found


def mean(values: Sequence[float]) -> float:
    """The mean as a float of Python."""
    return float(np.mean(values))


if __name__ == "__main__":
    run_study(main)
