"""Searches the best settings of both arms, by cross-validation on labelled images only; of the studies tune and pushed.

A classifier is trained on one label draw, as in the main pipeline, and scored on the labelled images of all other label
draws of the search. No evaluation uses these draws, and no test image is read.

Random search, then successive halving (Jamieson & Talwalkar, AISTATS 2016). Configurations drawn from the whole ranges,
and then those near the best so far, are tried on a few label draws; the best of all go on to more draws. Both arms try
the same number of configurations, from the same ranges; with pre-training, a configuration has a dAE too, from a set of
dAEs that are trained once.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from dae import metrics
from dae.classifiers import ClassifierJob, ClassifierResult, ClassifierSettings, train_classifiers
from dae.core.seeds import derive
from stages._daes import dae_settings
from stages.common.errors import StageError
from stages.common.params import Params
from stages.common.process import n_jobs
from studies import _params
from studies._study import Study, digest, question

SECTIONS = {"without": "baseline", "with": "finetune"}  # of params.yaml, one for each arm
TUNED = ("learning_rate", "dropout", "masking", "steps")
PARENTS = 4  # the best configurations, near which further ones are drawn
NEAR = 0.15  # standard deviation of the distance from a parent, as a share of the range
GENTLE = 0.1  # after its encoder was frozen, a classifier goes on at this multiple of the learning rate
EDGE = 0.05  # a chosen value within this share of its range's ends lies on an edge

Split = tuple[np.ndarray, np.ndarray, int]  # rows to train on, rows to test on, and the seed
Arms = Mapping[str, ClassifierSettings]  # of each arm, the settings that its configurations change


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


class Search:
    """The search for the best configurations of both arms.

    Args:
        study: has the labelled images and the store.
        settings: ranges and budget.
        name: of the random streams.
        arms: the settings of both arms that are not searched.

    Attributes:
        draws: rows of the labelled images of each label draw.
        scores: for each arm and configuration, its accuracy on each label draw so far, a fraction.
        temperatures: likewise, the temperatures that calibrate it best.
    """

    def __init__(self, study: Study, settings: _params.Search, name: str, arms: Arms):
        self.study, self.params, self.settings, self.name, self.arms = study, study.params, settings, name, arms
        self.draws = [study.draw(name, number, self.params.n_labels) for number in range(sum(settings.draws))]
        self.scores: dict[str, dict[Tried, list[float]]] = {arm: {} for arm in arms}
        self.temperatures: dict[str, dict[Tried, list[float]]] = {arm: {} for arm in arms}

    @cache  # noqa: B019, there is one search in a process
    def encoders(self) -> dict[tuple, list[np.ndarray]]:
        """Train a dAE for each combination of corruption, level and epochs; only if a configuration needs it."""
        daes, units = combinations(self.settings), self.arms["with"].units
        how = [
            dae_settings(self.params, units=units, corruption=corruption, noise=noise, epochs=epochs)
            for corruption, noise, epochs in daes
        ]
        found = self.study.pretrain(self.name, how, test=False)
        return dict(zip(daes, (encoder for encoder, _ in found), strict=True))

    def random(self, arm: str, number: int, stream: str, ways: Sequence[str] = ("free",)) -> list[Tried]:
        """Configurations from the whole ranges, all different: `number` of them, each in all `ways`.

        `stream` names the random numbers.
        """
        rng, daes = np.random.default_rng(derive(self.params.seed, self.name, arm, stream)), combinations(self.settings)

        def one() -> Tried:
            values: dict[str, Any] = {name: value_at(name, rng.uniform(), self.settings.space) for name in TUNED}
            return Tried(replace(self.arms[arm], **values), daes[rng.integers(len(daes))] if arm == "with" else None)

        return [replace(found, way=way) for found in different(one, number) for way in ways]

    def search(self, arm: str, beside: Sequence[Tried] = ()) -> None:
        """Try random configurations, then those near the best; in each further round the best, and those `beside`."""
        self.score(arm, self.random(arm, self.settings.configurations, "free"), 0)
        for generation, number in enumerate(self.settings.near):
            seed = derive(self.params.seed, self.name, arm, "near", generation)
            self.score(arm, near(self.ranked(arm), number, self.settings, seed), 0)
        for number, n_alive in enumerate(self.settings.keep, start=1):
            others = [one for one in self.ranked(arm) if one not in beside]
            self.score(arm, [*beside, *others[:n_alive]], number)

    def ranked(self, arm: str, free: bool = True) -> list[Tried]:
        """The configurations that an arm has tried: those with the most draws first, then the most accurate first."""
        scores = self.scores[arm]
        tried = [one for one in scores if (one.way == "free") == free]
        return sorted(tried, key=lambda one: (-len(scores[one]), -mean(scores[one])))

    def score(self, arm: str, tried: Sequence[Tried], number: int) -> None:
        """Add the accuracies of configurations on the draws of round `number`, counted from 0."""
        start = sum(self.settings.draws[:number])
        tests = [[self.against_others(draw)] for draw in range(start, start + self.settings.draws[number])]
        for one, found in zip(tried, self.ask(arm, tried, f"round {number + 1}", tests), strict=True):
            self.scores[arm].setdefault(one, []).extend(found["accuracies"])
            self.temperatures[arm].setdefault(one, []).extend(found["temperatures"])

    def against_others(self, draw: int) -> Split:
        """Train on a label draw, and test on the labelled images of all others."""
        rows = self.draws[draw]
        return rows, np.setdiff1d(np.concatenate(self.draws), rows), derive(self.params.seed, self.name, draw)

    def ask(self, arm: str, tried: Sequence[Tried], what: str, tests: Sequence[Sequence[Split]]) -> list[dict]:
        """What `cross_validate` finds for each configuration; kept in the study's store."""
        asked = [
            question(
                f"{arm}, {what}",
                one.settings,
                tests=[[[digest([train, out]), seed] for train, out, seed in splits] for splits in tests],
                dae=one.dae and [combinations(self.settings).index(one.dae), dae_question(self.params, one.dae)],
                way=one.way,
            )
            for one in tried
        ]

        def answers(missing: list[int]) -> Iterator[dict]:
            encoders: dict[Any, Any] = self.encoders() if arm == "with" else {None: []}
            return cross_validate(self.study, [(tried[i], encoders[tried[i].dae]) for i in missing], tests)

        return self.study.cached_all(asked, answers)


def n_questions(settings: _params.Search) -> int:
    """The number of questions that a search asks about an arm, without any beside the best."""
    return settings.configurations + sum(settings.near) + sum(settings.keep)


def combinations(settings: _params.Search) -> list[tuple[str, float, int]]:
    """Corruption, level and epochs of all dAEs."""
    allowed: dict[str, list[float]] = settings.daes.levels
    levels = [(corruption, level) for corruption, found in allowed.items() for level in found]
    return [(corruption, level, epochs) for (corruption, level), epochs in product(levels, settings.daes.epochs)]


def dae_question(params: Params, dae: tuple[str, float, int]) -> dict:
    """What a question says of a dAE."""
    return params.pretrain.model_dump(exclude={"models", "epochs"}) | {"dae": dae}


def near(ranked: Sequence[Tried], number: int, settings: _params.Search, seed: int) -> list[Tried]:
    """Configurations near the best ones, different from each other and from all that were tried.

    Each moves all values of one of the `PARENTS` best a little at random, and has its dAE or, as often, any other.

    Args:
        ranked: those that were tried, the best first.
        number: how many are wanted.
        settings: their ranges.
        seed: of the random numbers.
    """
    parents, daes, rng = ranked[:PARENTS], combinations(settings), np.random.default_rng(seed)

    def one() -> Tried:
        parent = parents[int(rng.integers(len(parents)))]
        values: dict[str, Any] = {}
        for name in TUNED:
            place = place_of(name, getattr(parent.settings, name), settings.space) + rng.normal(0, NEAR)
            values[name] = value_at(name, min(max(place, 0), 1), settings.space)
        dae = daes[rng.integers(len(daes))] if parent.dae and rng.integers(2) else parent.dae
        return Tried(replace(parent.settings, **values), dae)

    return different(one, number, ranked)


def different(draw: Callable[[], Tried], number: int, tried: Sequence[Tried] = ()) -> list[Tried]:
    """Draw configurations until `number` of them differ from each other and from those that were tried.

    Raises:
        StageError: that takes too long, so the ranges hold too few.
    """
    found: dict[Tried, None] = {}
    left = 1000 * number
    while len(found) < number:
        if not left:
            allowed = number + len(tried)
            raise StageError(f"the ranges of the search hold fewer than {allowed} configurations; widen them")
        left -= 1
        if (one := draw()) not in tried:
            found[one] = None
    return list(found)


def value_at(name: str, place: float, space: _params.Space) -> float:
    """The value at a place of its range, from 0 at the least to 1 at the largest value; rounded to two digits.

    Places are even steps of the value, for a learning rate of its logarithm.
    """
    low, high = getattr(space, name)
    logarithmic = name == "learning_rate"
    value = low * (high / low) ** place if logarithmic else low + (high - low) * place
    kind = int if name == "steps" else float
    return kind(min(max(float(f"{value:.2g}"), low), high))


def place_of(name: str, value: float, space: _params.Space) -> float:
    """The place of a value in its range: the inverse of `value_at`."""
    low, high = getattr(space, name)
    if name == "learning_rate":
        value, low, high = map(math.log, (value, low, high))
    return (value - low) / (high - low)


def cross_validate(
    study: Study, tried: Sequence[tuple[Tried, Sequence[np.ndarray]]], tests: Sequence[Sequence[Split]]
) -> Iterator[dict]:
    """Train and score configurations on labelled images.

    Args:
        study: has the labelled images.
        tried: the configurations, each with the encoder that its classifiers start from, empty without pre-training.
        tests: each has splits, whose test images are scored together.

    Yields:
        For each configuration, and for each test: `accuracies`, the share of its images that is classified correctly,
        and `temperatures`, see `dae.metrics.fit_temperature`.
    """

    def job(encoder: Sequence[np.ndarray], train: np.ndarray, out: np.ndarray, seed: int) -> ClassifierJob:
        return ClassifierJob(study.images[train], study.labels[train], study.images[out], encoder, seed)

    results = train_in_ways(
        (job(encoder, *split), one) for one, encoder in tried for splits in tests for split in splits
    )
    for _ in tried:
        answer: dict[str, list[float]] = {"accuracies": [], "temperatures": []}
        for splits in tests:
            probabilities = np.concatenate([next(results).probabilities for _ in splits])
            truth = study.labels[np.concatenate([out for _, out, _ in splits])]
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


def edges(chosen: Tried, settings: _params.Search) -> list[str]:
    """The ranges on whose edge a choice lies, unless no value beyond is allowed, or only the cost forbids it."""
    found = []
    for name in TUNED:
        place = place_of(name, getattr(chosen.settings, name), settings.space)
        low = getattr(settings.space, name)[0]
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
