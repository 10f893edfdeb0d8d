"""The best settings of each arm, by cross-validation on labelled images alone: reports/studies/tune.json.

Random search with successive halving (Jamieson & Talwalkar, AISTATS 2016): every configuration is tried on a few draws
of labelled images, the best go on to more. Both arms get the same configurations and the same number of trainings.
None of these draws is evaluated anywhere, and no test image is read.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from sklearn.model_selection import ParameterSampler, StratifiedKFold

from dae.replicates import Recipe, Replicate, train_replicates
from dae.seeds import derive
from stages._arm import recipe_of
from stages._params import Params
from stages._stage import StageError, load_encoders, n_jobs, save_json, save_table
from studies._params import StudyParams
from studies._study import Study, digest, question, run_study

ARMS = ("without", "with")


def main(params: Params, study_params: StudyParams) -> None:
    settings = study_params.tune
    if len(settings.keep) != len(settings.draws) - 1:
        raise StageError(f"tune.keep has {len(settings.keep)} values; allowed is one fewer than tune.draws")
    recipes = configurations(params, study_params)
    survivors = [len(recipes), *(min(keep, len(recipes)) for keep in settings.keep)]
    study = Study(params, total=2 * sum(survivors))
    encoders = load_encoders(params.pretrain.models)
    rows = []
    for arm in ARMS:
        alive, start = list(range(len(recipes))), 0
        scores = {number: [] for number in alive}
        for n_draws, keep in zip(settings.draws, [*settings.keep, 1], strict=True):
            for number in alive:
                recipe = recipes[number] if arm == "with" else replace(recipes[number], frozen=0)
                used = encoders if arm == "with" else [()]
                asked = question(
                    f"{arm}, configuration {number + 1}, {n_draws} draws",
                    recipe,
                    draws=[start, n_draws, settings.folds, params.n_labels, params.split.stratified],
                    encoders=[digest(encoder) for encoder in used],
                )
                validate = partial(cross_validate, study, recipe, used, range(start, start + n_draws), settings.folds)
                scores[number] += study.keep(asked, validate)["accuracies"]
            start += n_draws
            alive = sorted(alive, key=lambda number: -np.mean(scores[number]))[:keep]
        for number, recipe in enumerate(recipes):
            tried = {name: getattr(recipe, name) for name in ("learning_rate", "dropout", "masking", "steps")}
            tried["frozen"] = arm == "with" and recipe.frozen > 0
            result = {"draws": len(scores[number]), "accuracy": np.mean(scores[number]), "chosen": number == alive[0]}
            rows.append({"arm": arm, "configuration": number + 1} | tried | result)
    table = pd.DataFrame(rows)
    save_table("reports/studies/tune.csv", table)
    save_json(
        "reports/studies/tune.json",
        {
            arm: {name: row[name].item() for name in ("learning_rate", "dropout", "masking", "steps", "frozen")}
            | {"accuracy": round(row["accuracy"].item(), 5)}
            for arm, row in ((arm, table.query("arm == @arm and chosen").iloc[0]) for arm in ARMS)
        },
    )


def configurations(params: Params, study_params: StudyParams) -> list[Recipe]:
    """Recipes from the space, without repetition."""
    base, settings = recipe_of(params), study_params.tune
    space = settings.space.model_dump()
    size = int(np.prod([len(values) for values in space.values()]))
    sampler = ParameterSampler(space, min(settings.configurations, size), random_state=derive(params.seed, "tune"))
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
