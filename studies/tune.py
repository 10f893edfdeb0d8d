"""The best settings of each arm, by cross-validation on labelled images only: reports/studies/tune.*.

The search is that of `studies._search`. Beside its configurations, and not among those that can be chosen, further ones
freeze the encoder, for the whole training or for its first half.

Who has one label draw and no more must cross-validate inside it. What that user would choose among the random
configurations is told too, and is tried on all draws.
"""

import pandas as pd
from sklearn.model_selection import StratifiedKFold

from dae.core.seeds import derive
from reporting.tune import figures
from stages._classifiers import classifier_settings
from stages._figures import save_figure
from stages.common.files import save_json, save_table
from stages.common.params import Params
from studies._params import StudyParams, run_study
from studies._search import SECTIONS, Search, Split, Tried, edges, mean, n_questions
from studies._study import Study


def main(params: Params, study_params: StudyParams) -> None:
    """Search, then save all configurations, the choice of each arm, and what other choices would have been."""
    settings, rounds = study_params.tune, len(study_params.tune.draws)
    # beside those of the search: inside one draw, and what that chooses in each further round; and the frozen ones
    total = 2 * (n_questions(settings) + settings.configurations + rounds - 1) + 2 * settings.frozen * rounds
    arms = {arm: classifier_settings(params, section) for arm, section in SECTIONS.items()}
    search, one_draw = Search(Study(params, total, "studies.tune"), settings, "tune", arms), {}
    for arm in arms:
        one_draw[arm] = inside_one_draw(search, arm, settings.folds)
        search.search(arm, beside=[best(one_draw[arm])])
    frozen = search.random("with", settings.frozen, "frozen", ways=("frozen", "frozen_first"))
    for number in range(rounds):
        search.score("with", frozen, number)
    rows = [
        {
            "arm": arm,
            **tried.columns(),
            "draws": len(search.scores[arm][tried]),
            "accuracy": mean(search.scores[arm][tried]),
            "one_draw": one_draw[arm].get(tried),
            "chosen": tried == search.ranked(arm)[0],
        }
        for arm in SECTIONS
        for tried in [*search.ranked(arm), *search.ranked(arm, free=False)]
    ]
    table = pd.DataFrame(rows)
    save_table("reports/studies/tune.csv", table)
    save_json("reports/studies/tune.json", {arm: summary(search, arm, one_draw[arm]) for arm in SECTIONS})
    save_figure("reports/studies/figures/tune/search", figures.search, table)


def inside_one_draw(search: Search, arm: str, folds: int) -> dict[Tried, float]:
    """The accuracy of an arm's random configurations in cross-validation inside the first label draw, fractions."""
    study, rows, seed = search.study, search.draws[0], search.params.seed
    splitter = StratifiedKFold(folds, shuffle=True, random_state=derive(seed, "tune", 0))
    parts = enumerate(splitter.split(rows, study.labels[rows]))
    splits: list[Split] = [(rows[train], rows[out], derive(seed, "tune", 0, fold)) for fold, (train, out) in parts]
    drawn = search.random(arm, search.settings.configurations, "free")
    answers = search.ask(arm, drawn, "inside one draw", [splits])
    return {one: answer["accuracies"][0] for one, answer in zip(drawn, answers, strict=True)}


def best(one_draw: dict[Tried, float]) -> Tried:
    """What a user with one draw would choose."""
    return max(one_draw, key=one_draw.__getitem__)


def summary(search: Search, arm: str, one_draw: dict[Tried, float]) -> dict:
    """An arm's choice, with the accuracy and the ranges on whose edge it lies; the choice of a user with one draw.

    With pre-training, also the best configuration of each way to freeze the encoder.
    """
    scores, chosen = search.scores[arm], search.ranked(arm)[0]

    def told(one: Tried) -> dict:
        return one.columns() | {"accuracy": round(mean(scores[one]), 5), "draws": len(scores[one])}

    found = {
        "chosen": told(chosen) | {"temperature": round(mean(search.temperatures[arm][chosen]), 2)},
        "edges": edges(chosen, search.settings),
        "by_one_draw": told(best(one_draw)) | {"inside": round(one_draw[best(one_draw)], 5)},
    }
    for one in search.ranked(arm, free=False):
        found.setdefault(one.way, told(one))
    return found


if __name__ == "__main__":
    run_study(main)
