"""Pre-training with more of everything, and pseudo-labels: reports/studies/pushed.*.

The arms `pushed` and `pushed_alone` have a wider network, with and without pre-training; the settings of each, and the
dAE's, are chosen by a search as in the study tune, with the main pipeline's number of labels. The pre-trained
classifier of the main pipeline teaches two students with pseudo-labels: one that is pre-trained, and a convolutional
one. The arm `ladder_alone` is the ladder's network and training without its denoising costs: what its labels alone
teach it. All have the label curve's draws.
"""

from dataclasses import replace
from typing import Any

import pandas as pd

from reporting.pushed import figures
from stages._classifiers import classifier_settings
from stages._encoders import load_encoders
from stages._figures import save_figure
from stages.common.files import save_json, save_table
from stages.common.params import Params
from studies._arms import (
    RANDOM,
    Arms,
    InitialEncoders,
    convolutional,
    counts,
    draws,
    ladder_settings,
    load_curve,
    summarise,
    with_teachers_time,
)
from studies._params import StudyParams, run_study
from studies._search import SECTIONS, Search, Tried, dae_question, n_questions
from studies._study import Study, digest, paired

ARMS = 5  # with every number of labels; the ladder without denoising costs only with the main pipeline's


def main(params: Params, study_params: StudyParams) -> None:
    """Search the wide network's settings, train all arms at each number of labels, and save accuracies and times."""
    settings, shared = study_params.pushed, study_params.ladder
    curve, others = load_curve(shared, params), pd.read_csv("reports/studies/ladder.csv")
    search_questions = 2 * n_questions(settings.search)
    trainings = ARMS * sum(draws(shared, params, n) for n in shared.n_labels) + shared.replicates
    study, n_classes = Study(params, search_questions + trainings, "studies.pushed"), len(params.classes)

    own = {arm: classifier_settings(params, section) for arm, section in SECTIONS.items()}
    wide = {arm: replace(found, units=tuple(settings.units)) for arm, found in own.items()}
    search = Search(study, settings.search, "pushed", wide)
    for arm in wide:
        search.search(arm)
    chosen: dict[str, Tried] = {arm: search.ranked(arm)[0] for arm in wide}
    dae: Any = chosen["with"].dae
    pushed_start = InitialEncoders([dae, dae_question(params, dae)], lambda: [search.encoders()[dae]])
    encoders = load_encoders(params.pretrain.models)
    pretrained = InitialEncoders([digest(encoder) for encoder in encoders], lambda: encoders)
    student = replace(own["with"], **settings.student.model_dump())

    found = {}
    for n_labels in counts(shared, params):
        arms = Arms(study, shared, n_labels)
        teachers = arms.classifiers("with", own["with"], pretrained)
        without = curve.loc[curve["n_labels"] == n_labels, "without"].head(len(arms.known))
        found[n_labels] = {
            "without": [{"accuracy": accuracy, "seconds": None} for accuracy in without],
            "with": teachers,
            "pushed_alone": arms.classifiers("wide, without", chosen["without"].settings, RANDOM),
            "pushed": arms.classifiers("wide, with", chosen["with"].settings, pushed_start),
            "pseudo": with_teachers_time(arms.students("student", student, pretrained, teachers), teachers),
            "pseudo_conv": with_teachers_time(
                arms.students(
                    "convolutional student", convolutional(shared.convolutional, n_classes), RANDOM, teachers
                ),
                teachers,
            ),
        }
        if n_labels == params.n_labels:
            alone = ladder_settings(shared, [0.0] * len(shared.costs), shared.epochs, n_classes)
            found[n_labels]["ladder_alone"] = arms.ladders("ladder without denoising costs", alone)
    table, rows = summarise(found, params.evaluate.confidence)
    save_table("reports/studies/pushed.csv", table)
    here = {arm: [outcome["accuracy"] for outcome in found[params.n_labels][arm]] for arm in ("pushed", "pushed_alone")}
    gain = paired(here["pushed"], here["pushed_alone"], params.evaluate.confidence)
    told = {arm: one.columns() for arm, one in chosen.items()}
    save_json("reports/studies/pushed.json", {"chosen": told, "gain": gain, "rows": rows})
    shown = pd.concat([table, others])
    save_figure("reports/studies/figures/pushed/pushed", figures.pushed, shown)


if __name__ == "__main__":
    run_study(main)
