"""Ladder networks, which learn from labelled and unlabelled images together: reports/studies/ladder.*.

The ladder (`dae.ladder`) is also trained in fewer epochs, and as its cheaper Gamma model. It teaches a convolutional
student, which starts from random weights and sees its images moved a little. All have the label curve's draws.
"""

from stages.common.files import save_json, save_table
from stages.common.params import Params
from studies._arms import (
    RANDOM,
    Arms,
    convolutional,
    counts,
    draws,
    ladder_settings,
    load_curve,
    summarise,
    with_teachers_time,
)
from studies._params import StudyParams, run_study
from studies._study import Study

ARMS = 3  # with every number of labels; the fast ladder only with the main pipeline's


def main(params: Params, study_params: StudyParams) -> None:
    """Train all arms at each number of labels, and save accuracies and times."""
    settings = study_params.ladder
    load_curve(settings, params)  # its draws must be as many
    trainings = ARMS * sum(draws(settings, params, n) for n in settings.n_labels) + settings.replicates
    study, found, n_classes = Study(params, trainings, "studies.ladder"), {}, len(params.classes)
    for n_labels in counts(settings, params):
        arms, gamma = Arms(study, settings, n_labels), [0.0] * (len(settings.costs) - 1)
        rows: dict[str, list[dict]] = {}
        if n_labels == params.n_labels:
            how = ladder_settings(settings, settings.costs, settings.fast_epochs, n_classes)
            rows["ladder_fast"] = arms.ladders("fast ladder", how)
        how = ladder_settings(settings, settings.costs, settings.epochs, n_classes)
        rows["ladder"] = arms.ladders("ladder", how)
        how = ladder_settings(settings, [*gamma, settings.gamma_cost * n_labels], settings.epochs, n_classes)
        rows["ladder_gamma"] = arms.ladders("Gamma model", how)
        student = convolutional(settings.convolutional, n_classes)
        students = arms.students("student of the ladder", student, RANDOM, rows["ladder"])
        rows["ladder_conv"] = with_teachers_time(students, rows["ladder"])
        found[n_labels] = rows
    table, summary = summarise(found, params.evaluate.confidence)
    save_table("reports/studies/ladder.csv", table)
    save_json("reports/studies/ladder.json", {"rows": summary})


if __name__ == "__main__":
    run_study(main)
