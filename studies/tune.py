"""The best settings of each arm, by cross-validation on labelled images only: reports/studies/tune.*, tune_gains.csv.

Random search with successive halving (Jamieson & Talwalkar, AISTATS 2016): every configuration is tried on a few label
draws, and the best go on to more draws. At the end each arm also tries the other arm's finalists. Both arms get the
same configurations; with pre-training, some of them freeze the encoder. No evaluation uses these label draws, and no
test image is read.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from sklearn.model_selection import ParameterSampler, StratifiedKFold

from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers
from dae.core.seeds import derive
from reporting.tune import figures
from stages._classifiers import classifier_settings
from stages._encoders import load_encoders
from stages._figures import save_figure
from stages.common.files import save_json, save_table
from stages.common.params import Params
from stages.common.process import n_jobs
from studies._params import StudyParams, Tune, run_study
from studies._study import Study, digest, question

ARMS = ("without", "with")
TUNED = ("learning_rate", "dropout", "masking", "steps")
Scores = dict[str, dict[ClassifierSettings, list[float]]]  # for each arm and configuration, an accuracy a draw


def main(params: Params, study_params: StudyParams) -> None:
    """Search, then save all tried settings, the best of each arm, and the gains at equal settings."""
    search = Search(params, study_params.tune, configurations(params, study_params))
    search.halve()
    search.swap_finalists()
    rows = [
        {
            "arm": arm,
            **{name: getattr(tried, name) for name in TUNED},
            "frozen": tried.frozen > 0,
            "draws": len(search.scores[arm][tried]),
            "accuracy": float(np.mean(search.scores[arm][tried])),
            "chosen": place == 0,
        }
        for arm in ARMS
        for place, tried in enumerate(search.ranked(arm))
    ]
    save_table("reports/studies/tune.csv", pd.DataFrame(rows))
    gains = gains_by_configuration(search.scores)
    tuned = pd.DataFrame([{name: getattr(tried, name) for name in TUNED} for tried in gains["configuration"]])
    save_table("reports/studies/tune_gains.csv", tuned.join(gains.drop(columns="configuration")))
    chosen = int(gains["configuration"].eq(search.ranked("without")[0]).idxmax())
    save_figure("reports/studies/figures/tune/gains", figures.tuning, gains["without"], gains["gain"], chosen)
    # the rows are saved, so they may lose keys here
    best = {row.pop("arm"): row for row in rows if row.pop("chosen")}
    save_json(
        "reports/studies/tune.json",
        {
            arm: {k: v for k, v in row.items() if k != "draws"} | {"accuracy": round(row["accuracy"], 5)}
            for arm, row in best.items()
        },
    )


class Search:
    """Successive halving of both arms.

    Args:
        params: the main pipeline's parameters.
        settings: the study's parameters.
        configurations: settings to try in both arms; without pre-training none of them freezes the encoder.

    Attributes:
        scores: accuracies so far, fractions.
    """

    def __init__(self, params: Params, settings: Tune, configurations: Sequence[ClassifierSettings]):
        self.params, self.settings, self.configurations = params, settings, configurations
        self.alive = [len(configurations), *settings.keep]  # number of configurations in each round
        questions = 2 * (sum(self.alive) + self.alive[-1] * len(self.alive))
        self.study = Study(params, questions, "studies.tune")
        self.encoders: dict[str, list] = {"without": [()], "with": load_encoders(params.pretrain.models)}
        self.scores: Scores = {arm: {} for arm in ARMS}

    def halve(self) -> None:
        """Try all configurations in the first round, and the best of them in each further round."""
        for arm in ARMS:
            own = [tried if arm == "with" else replace(tried, frozen=0) for tried in self.configurations]
            for number, n_alive in enumerate(self.alive):
                entrants = list(dict.fromkeys(own)) if number == 0 else self.ranked(arm)
                for tried in entrants[:n_alive]:
                    self.score(arm, tried, number)

    def swap_finalists(self) -> None:
        """Let each arm try the other arm's finalists in all rounds, without freezing the encoder."""
        finalists = {arm: self.ranked(arm)[: self.alive[-1]] for arm in ARMS}
        for arm, other in (ARMS, ARMS[::-1]):
            for tried in (replace(finalist, frozen=0) for finalist in finalists[other]):
                for number in range(len(self.alive)):
                    if len(self.scores[arm].get(tried, [])) < sum(self.settings.draws[: number + 1]):
                        self.score(arm, tried, number)

    def ranked(self, arm: str) -> list[ClassifierSettings]:
        """The configurations that an arm has tried: those with the most draws first, then the most accurate first."""
        scores = self.scores[arm]
        return sorted(scores, key=lambda tried: (-len(scores[tried]), -np.mean(scores[tried])))

    def score(self, arm: str, tried: ClassifierSettings, number: int) -> None:
        """Add the accuracies of a configuration on the draws of round `number`, counted from 0."""
        draws, start = self.settings.draws[number], sum(self.settings.draws[:number])
        asked = question(
            f"{arm}, {draws} draws",
            tried,
            draws=[start, draws, self.settings.folds, self.params.n_labels, self.params.split.stratified],
            encoders=[digest(encoder) for encoder in self.encoders[arm]],
        )
        numbers = range(start, start + draws)
        answer = partial(cross_validate, self.study, tried, self.encoders[arm], numbers, self.settings.folds)
        self.scores[arm].setdefault(tried, []).extend(self.study.cached(asked, answer)["accuracies"])


def gains_by_configuration(scores: Scores) -> pd.DataFrame:
    """The gain by pre-training with the same settings on the same draws, sorted by the baseline's accuracy.

    Returns:
        A table with the columns configuration, draws (their number), without (accuracy of the baseline) and gain, both
        fractions.
    """
    rows = []
    for tried in scores["with"].keys() & scores["without"].keys():
        draws = min(len(scores[arm][tried]) for arm in ARMS)
        with_, without = (float(np.mean(scores[arm][tried][:draws])) for arm in ("with", "without"))
        rows.append({"configuration": tried, "draws": draws, "without": without, "gain": with_ - without})
    return pd.DataFrame(rows).sort_values("without", ignore_index=True)


def configurations(params: Params, study_params: StudyParams) -> list[ClassifierSettings]:
    """Random settings from `tune.space`, all different."""
    base, settings = classifier_settings(params), study_params.tune
    space = settings.space.model_dump()
    sampler = ParameterSampler(space, settings.configurations, random_state=derive(params.seed, "tune"))
    return [replace(base, **(values | {"frozen": len(base.units) * values["frozen"]})) for values in sampler]


def cross_validate(
    study: Study, settings: ClassifierSettings, encoders: Sequence[Sequence], draws: range, folds: int
) -> dict:
    """Cross-validate settings on each label draw.

    Returns:
        `accuracies`: for each draw, the share of its labelled images that are classified correctly when held out.
    """
    jobs, truths = [], []
    for draw in draws:
        rows = study.draw("tune", draw, study.params.n_labels)
        labels = study.labels[rows]
        splitter = StratifiedKFold(folds, shuffle=True, random_state=derive(study.params.seed, "tune", draw))
        for fold, (train, held_out) in enumerate(splitter.split(rows, labels)):
            truths.append(labels[held_out])
            jobs.append(
                ClassifierJob(
                    study.images[rows[train]],
                    labels[train],
                    study.images[rows[held_out]],
                    encoders[draw % len(encoders)],
                    derive(study.params.seed, "tune", draw, fold),
                )
            )
    results = train_classifiers(jobs, settings, min(n_jobs(), len(jobs)))
    correct = [found.probabilities.argmax(axis=1) == truth for found, truth in zip(results, truths, strict=True)]
    return {"accuracies": [float(np.concatenate(correct[i : i + folds]).mean()) for i in range(0, len(correct), folds)]}


if __name__ == "__main__":
    run_study(main)
