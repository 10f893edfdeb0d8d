"""The best settings of each arm, by cross-validation on labelled images alone: reports/studies/tune.*, tune_gains.csv.

Random search with successive halving (Jamieson & Talwalkar, AISTATS 2016): every configuration is tried on a few draws
of labelled images, the best go on to more, and last each arm tries the other's finalists as well. Both arms get the
same configurations; with pre-training, some of them freeze the encoder. None of these draws is evaluated anywhere, and
no test image is read.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from sklearn.model_selection import ParameterSampler, StratifiedKFold

from dae import figures
from dae.replicates import Recipe, Replicate, train_replicates
from dae.seeds import derive
from stages._arm import recipe_of
from stages._params import Params
from stages._stage import load_encoders, n_jobs, save_figure, save_json, save_table
from studies._params import StudyParams
from studies._run import run_study
from studies._study import Study, digest, question

ARMS = ("without", "with")
SETTINGS = ("learning_rate", "dropout", "masking", "steps")


def main(params: Params, study_params: StudyParams) -> None:
    settings = study_params.tune
    recipes = configurations(params, study_params)
    rounds = [len(recipes), *settings.keep]
    study = Study(params, 2 * (sum(rounds) + rounds[-1] * len(rounds)), "studies.tune")
    encoders = {"without": [()], "with": load_encoders(params.pretrain.models)}
    scores = {arm: {} for arm in ARMS}  # of each recipe, accuracies on the draws that it was tried on

    def score(arm: str, recipe: Recipe, stage: int) -> None:
        n_draws, start = settings.draws[stage], sum(settings.draws[:stage])
        asked = question(
            f"{arm}, {n_draws} draws",
            recipe,
            draws=[start, n_draws, settings.folds, params.n_labels, params.split.stratified],
            encoders=[digest(encoder) for encoder in encoders[arm]],
        )
        validate = partial(cross_validate, study, recipe, encoders[arm], range(start, start + n_draws), settings.folds)
        scores[arm].setdefault(recipe, []).extend(study.keep(asked, validate)["accuracies"])

    def ranked(arm: str) -> list[Recipe]:
        return sorted(scores[arm], key=lambda recipe: (-len(scores[arm][recipe]), -np.mean(scores[arm][recipe])))

    for arm in ARMS:
        alive = [recipe if arm == "with" else replace(recipe, frozen=0) for recipe in recipes]
        for stage, n_alive in enumerate(rounds):
            for recipe in list(dict.fromkeys(alive))[:n_alive] if stage == 0 else ranked(arm)[:n_alive]:
                score(arm, recipe, stage)
    finalists = {arm: ranked(arm)[: rounds[-1]] for arm in ARMS}
    for arm, other in (ARMS, ARMS[::-1]):
        for recipe in (replace(recipe, frozen=0) for recipe in finalists[other]):
            for stage in range(len(rounds)):
                if len(scores[arm].get(recipe, [])) < sum(settings.draws[: stage + 1]):
                    score(arm, recipe, stage)
    rows = [
        {
            "arm": arm,
            **{name: getattr(recipe, name) for name in SETTINGS},
            "frozen": recipe.frozen > 0,
            "draws": len(scores[arm][recipe]),
            "accuracy": float(np.mean(scores[arm][recipe])),
            "chosen": place == 0,
        }
        for arm in ARMS
        for place, recipe in enumerate(ranked(arm))
    ]
    save_table("reports/studies/tune.csv", pd.DataFrame(rows))
    gains = gains_by_setting(scores)
    settings = pd.DataFrame([{n: getattr(r, n) for n in SETTINGS} for r in gains["recipe"]])
    save_table("reports/studies/tune_gains.csv", settings.join(gains.drop(columns="recipe")))
    chosen = int(gains["recipe"].eq(ranked("without")[0]).idxmax())
    save_figure("reports/studies/figures/tune/gains", figures.tuning, gains["without"], gains["gain"], chosen)
    best = {row.pop("arm"): row for row in rows if row.pop("chosen")}
    save_json(
        "reports/studies/tune.json",
        {
            arm: {k: v for k, v in row.items() if k != "draws"} | {"accuracy": round(row["accuracy"], 5)}
            for arm, row in best.items()
        },
    )


def gains_by_setting(scores: dict[str, dict[Recipe, list[float]]]) -> pd.DataFrame:
    """What pre-training brings with the same settings on the same draws, from the worst baseline to the best.

    Returns:
        Columns recipe, draws (how many), without (accuracy of the baseline) and gain, fractions.
    """
    rows = []
    for recipe in scores["with"].keys() & scores["without"].keys():
        draws = min(len(scores[arm][recipe]) for arm in ARMS)
        with_, without = (float(np.mean(scores[arm][recipe][:draws])) for arm in ("with", "without"))
        rows.append({"recipe": recipe, "draws": draws, "without": without, "gain": with_ - without})
    return pd.DataFrame(rows).sort_values("without", ignore_index=True)


def configurations(params: Params, study_params: StudyParams) -> list[Recipe]:
    """Recipes from the space, without repetition."""
    base, settings = recipe_of(params), study_params.tune
    space = settings.space.model_dump()
    sampler = ParameterSampler(space, settings.configurations, random_state=derive(params.seed, "tune"))
    return [replace(base, **(values | {"frozen": len(base.units) * values["frozen"]})) for values in sampler]


def cross_validate(study: Study, recipe: Recipe, encoders: list, draws: range, folds: int) -> dict:
    """Accuracy of a recipe on each draw: the share of its labelled images that are right when they are held out."""
    replicates, truths = [], []
    for draw in draws:
        rows = study.draw("tune", draw, study.params.n_labels)
        labels = study.labels[rows]
        splitter = StratifiedKFold(folds, shuffle=True, random_state=derive(study.params.seed, "tune", draw))
        for fold, (train, held_out) in enumerate(splitter.split(rows, labels)):
            truths.append(labels[held_out])
            replicates.append(
                Replicate(
                    study.images[rows[train]],
                    labels[train],
                    study.images[rows[held_out]],
                    encoders[draw % len(encoders)],
                    derive(study.params.seed, "tune", draw, fold),
                )
            )
    trained = train_replicates(replicates, recipe, min(n_jobs(), len(replicates)))
    correct = [t.probabilities.argmax(axis=1) == truth for t, truth in zip(trained, truths, strict=True)]
    return {"accuracies": [float(np.concatenate(correct[i : i + folds]).mean()) for i in range(0, len(correct), folds)]}


if __name__ == "__main__":
    run_study(main)
