import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dae.classifiers import ClassifierSettings
from studies import _search, _study, tune
from studies._search import SECTIONS, Search, Tried


def tried(steps, dae=None, way="free", **changes):
    settings = ClassifierSettings(
        units=(4,), dropout=0.25, masking=0.25, batch_size=10, steps=steps, learning_rate=0.001
    )
    return Tried(replace(settings, **changes), dae, way)


LEAST, MOST = ("masking", 0.5, 2), ("gaussian", 1.0, 1)
INSIDE = {  # accuracies in cross-validation inside the first draw, of the random configurations
    tried(1, LEAST): 0.75,  # what a user with one draw would choose; it loses
    tried(2, MOST): 0.50,
    tried(3, MOST): 0.625,
    tried(1): 0.25,
    tried(2): 0.75,  # it wins
    tried(3): 0.50,
}
NEAR = {"with": [tried(4, MOST), tried(5, LEAST), tried(6, LEAST)], "without": [tried(4), tried(5), tried(6)]}
ACCURACIES = {  # on the labelled images of the other draws: two draws in the first round, one in each other
    tried(1, LEAST): [0.50, 0.50, 0.25, 0.25],
    tried(2, MOST): [0.75, 0.75, 0.00],  # the best of the first round falls back in the second
    tried(3, MOST): [0.25, 0.25],
    tried(4, MOST): [0.625, 0.75, 0.75, 0.75],  # the best in the end
    tried(5, LEAST): [0.50, 0.625],
    tried(6, LEAST): [0.50, 0.50],
    tried(4, LEAST, "frozen"): [1.0, 1.0, 1.0, 1.0],  # better than all of them, but not among those to choose from
    tried(4, LEAST, "frozen_first"): [0.25, 0.25, 0.25, 0.25],
    tried(5, MOST, "frozen"): [0.75, 0.75, 0.75, 0.75],
    tried(5, MOST, "frozen_first"): [0.50, 0.50, 0.25, 0.25],
    tried(1): [0.50, 0.50],
    tried(2): [0.75, 0.625, 0.50, 0.50],
    tried(3): [0.125, 0.125],
    tried(4): [0.75, 0.75, 0.25, 0.50],
    tried(5): [0.50, 0.75, 0.25],
    tried(6): [0.25, 0.25],
}


@pytest.fixture
def tuning(params, settings, small_study, monkeypatch, drawn_by):
    """Run the study with known accuracies in place of trainings; gives what was asked for, and the figure.

    The encoder of dAE i is the number i. A configuration's temperature on draw d is its number of steps and d / 10.
    """
    asked, pretrained, neighbours = [], [], []

    def cross_validate(study, configurations, tests):
        """Told by the splits: one tests a draw on others, two hold out parts of the first draw."""
        rows = [study.draw("tune", draw, 500).tolist() for draw in range(4)]
        draws = [rows.index(splits[0][0].tolist()) if len(splits) == 1 else "inside" for splits in tests]
        for one, encoder in configurations:
            number = _search.combinations(settings().tune).index(one.dae) if one.dae else []
            assert encoder == number
            asked.append(("with" if one.dae else "without", one.way, one.settings.steps, *draws))
            if draws == ["inside"]:
                yield {"accuracies": [INSIDE[one]], "temperatures": [100.0]}
            else:
                temperatures = [one.settings.steps + draw / 10 for draw in draws]
                yield {"accuracies": [ACCURACIES[one][draw] for draw in draws], "temperatures": temperatures}

    def pretrain(study, name, settings, test=True):
        pretrained.append((name, [(how.corruption, how.noise, how.epochs) for how in settings], test))
        return [(number, {}) for number in range(len(settings))]

    def random(search, arm, number, stream, ways=("free",)):
        assert (search.name, stream) == ("tune", "free" if ways == ("free",) else "frozen")
        known = [*INSIDE, *(one for one in ACCURACIES if one.way != "free")]
        found = [one for one in known if one.way in ways and (one.dae is not None) == (arm == "with")]
        return found[: number * len(ways)]

    def near(ranked, number, settings, seed):
        arm = "with" if ranked[0].dae else "without"
        neighbours.append((arm, [one.settings.steps for one in ranked], number, seed))
        return [one for one in NEAR[arm] if one not in ranked][:number]

    monkeypatch.setattr(_search, "cross_validate", cross_validate)
    monkeypatch.setattr(_study.Study, "pretrain", pretrain)
    monkeypatch.setattr(Search, "random", random)
    monkeypatch.setattr(_search, "near", near)
    drawn = drawn_by(tune)

    def run():
        for told in (asked, pretrained, neighbours):
            told.clear()
        tune.main(params, settings(configurations=3, near=[1, 2], draws=[2, 1, 1], keep=[2, 1], frozen=2, folds=2))
        return SimpleNamespace(asked=asked, pretrained=pretrained, neighbours=neighbours, drawn=drawn)

    return run


def test_random_configurations_come_first_then_those_near_the_best_then_the_best_beside_the_choice_of_one_draw(tuning):
    """Those that freeze the encoder stay in all rounds, as many as they are."""
    assert tuning().asked == [
        *[("without", "free", steps, "inside") for steps in (1, 2, 3)],
        *[("without", "free", steps, 0, 1) for steps in (1, 2, 3, 4, 5, 6)],
        *[("without", "free", steps, 2) for steps in (2, 4, 5)],
        *[("without", "free", steps, 3) for steps in (2, 4)],
        *[("with", "free", steps, "inside") for steps in (1, 2, 3)],
        *[("with", "free", steps, 0, 1) for steps in (1, 2, 3, 4, 5, 6)],
        *[("with", "free", steps, 2) for steps in (1, 2, 4)],
        *[("with", "free", steps, 3) for steps in (1, 4)],
        *[
            ("with", way, steps, *draws)
            for draws in ((0, 1), (2,), (3,))
            for steps, way in ((4, "frozen"), (4, "frozen_first"), (5, "frozen"), (5, "frozen_first"))
        ],
    ]


def test_each_generation_is_near_the_best_of_all_that_were_tried_before_it(tuning):
    neighbours = tuning().neighbours
    assert [told[:-1] for told in neighbours] == [
        ("without", [2, 1, 3], 1),
        ("without", [4, 2, 1, 3], 2),
        ("with", [2, 1, 3], 1),
        ("with", [2, 4, 1, 3], 2),
    ]
    assert len({seed for *_, seed in neighbours}) == 4


def test_both_arms_train_as_much_on_every_round(tuning):
    asked = tuning().asked
    free = {arm: [draws for found, way, _, *draws in asked if (found, way) == (arm, "free")] for arm in SECTIONS}
    assert free["with"] == free["without"]
    assert len(free["with"]) == 14


def test_each_dae_is_trained_once_and_sees_no_test_image(tuning):
    levels = [("masking", 0.5), ("masking", 0.75), ("gaussian", 0.25), ("gaussian", 1.0)]
    assert tuning().pretrained == [("tune", [(*level, epochs) for level in levels for epochs in (2, 1)], False)]


def test_the_choice_is_the_best_of_those_on_most_draws_and_never_a_frozen_one(tuning):
    """With pre-training it is one near the best; without, it is also the choice of one draw."""
    drawn = tuning().drawn
    table = pd.read_csv("reports/studies/tune.csv")
    columns = ["arm", "way", "steps", "draws", "accuracy", "one_draw", "chosen"]
    assert table[columns].astype(object).fillna("").to_numpy().tolist() == [
        ["without", "free", 2, 4, 0.59375, 0.75, True],
        ["without", "free", 4, 4, 0.5625, "", False],
        ["without", "free", 5, 3, 0.5, "", False],
        ["without", "free", 1, 2, 0.5, 0.25, False],
        ["without", "free", 6, 2, 0.25, "", False],
        ["without", "free", 3, 2, 0.125, 0.5, False],
        ["with", "free", 4, 4, 0.71875, "", True],
        ["with", "free", 1, 4, 0.375, 0.75, False],
        ["with", "free", 2, 3, 0.5, 0.5, False],
        ["with", "free", 5, 2, 0.5625, "", False],
        ["with", "free", 6, 2, 0.5, "", False],
        ["with", "free", 3, 2, 0.25, 0.625, False],
        ["with", "frozen", 4, 4, 1, "", False],
        ["with", "frozen", 5, 4, 0.75, "", False],
        ["with", "frozen_first", 5, 4, 0.375, "", False],
        ["with", "frozen_first", 4, 4, 0.25, "", False],
    ]
    assert table.loc[6, ["corruption", "noise", "epochs"]].tolist() == [*MOST]
    assert table.loc[:5, ["corruption", "noise", "epochs"]].isna().all(axis=None)
    (shown,) = drawn["search"]
    assert shown["steps"].tolist() == table["steps"].tolist()


def test_the_summary_of_each_arm(tuning):
    """The choice of a user with one draw has its accuracy on all draws, and the one inside that draw."""
    tuning()
    found = json.loads(Path("reports/studies/tune.json").read_text())
    values = {"learning_rate": 0.001, "dropout": 0.25, "masking": 0.25}
    none = {"way": "free", "corruption": None, "noise": None, "epochs": None} | values
    most, least = (
        {"way": "free"} | dict(zip(("corruption", "noise", "epochs"), dae, strict=True)) | values
        for dae in (MOST, LEAST)
    )
    assert found == {
        "without": {
            "chosen": none | {"steps": 2, "accuracy": 0.59375, "draws": 4, "temperature": 2.15},
            "edges": ["steps"],
            "by_one_draw": none | {"steps": 2, "accuracy": 0.59375, "draws": 4, "inside": 0.75},
        },
        "with": {
            "chosen": most | {"steps": 4, "accuracy": 0.71875, "draws": 4, "temperature": 4.15},
            "edges": ["steps", "noise"],
            "by_one_draw": least | {"steps": 1, "accuracy": 0.375, "draws": 4, "inside": 0.75},
            "frozen": least | {"way": "frozen", "steps": 4, "accuracy": 1.0, "draws": 4},
            "frozen_first": most | {"way": "frozen_first", "steps": 5, "accuracy": 0.375, "draws": 4},
        },
    }


def test_a_search_that_is_run_again_trains_nothing(tuning, capfd):
    tuning()
    lines = re.findall(r"question \d+/\d+", capfd.readouterr().out)
    assert lines == [f"question {number}/40" for number in range(1, 41)]
    files = [Path("reports/studies", name) for name in ("tune.csv", "tune.json")]
    before = [file.read_text() for file in files]
    again = tuning()
    assert (again.asked, again.pretrained) == ([], [])
    assert [file.read_text() for file in files] == before


def test_a_search_of_one_round_asks_no_more_than_it_counts(tuning, params, settings, capfd):
    """There is nothing to keep, and nothing near or frozen is wanted."""
    tune.main(params, settings(configurations=3, near=[], draws=[2], keep=[], frozen=0, folds=2))
    lines = re.findall(r"question \d+/\d+", capfd.readouterr().out)
    assert lines == [f"question {number}/12" for number in range(1, 13)]
    assert pd.read_csv("reports/studies/tune.csv")["draws"].tolist() == [2] * 6


def test_inside_the_first_draw_each_image_is_held_out_once_and_each_class_in_equal_parts(search, monkeypatch):
    searched, asked = search(), []

    def cross_validate(study, configurations, tests):
        (parts,) = tests
        asked.append(parts)
        for number in range(len(configurations)):
            yield {"accuracies": [(32 - number) / 100], "temperatures": [1.0]}

    monkeypatch.setattr(_search, "cross_validate", cross_validate)
    found = tune.inside_one_draw(searched, "without", folds=3)
    drawn = searched.random("without", 32, "free")  # all random ones, and no other
    assert found == {one: (32 - number) / 100 for number, one in enumerate(drawn)}
    assert tune.best(found) == drawn[0]
    own, labels, (parts,) = searched.draws[0].tolist(), searched.study.labels, asked
    assert sorted(np.concatenate([out for _, out, _ in parts]).tolist()) == sorted(own)
    assert len({seed for *_, seed in parts} | {searched.against_others(0)[2]}) == 4
    for train, out, _ in parts:
        assert sorted([*train.tolist(), *out.tolist()]) == sorted(own)
    counts = np.array([np.bincount(labels[out], minlength=10) for _, out, _ in parts])
    assert len(counts) == 3
    assert np.ptp(counts, axis=0).max() <= 1
    # from the store, so the splits are the same again; other folds are another question
    assert tune.inside_one_draw(searched, "without", folds=3) == found
    assert len(asked) == 1
    tune.inside_one_draw(searched, "without", folds=4)
    assert [len(parts) for parts in asked] == [3, 4]
