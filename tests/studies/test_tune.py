import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dae.classifiers import ClassifierJob, ClassifierResult, ClassifierSettings
from stages.common.params import load_params
from studies import _study, tune
from studies._params import load_study_params
from studies.tune import Search, Tried

DAES = {"levels": {"masking": [0.5, 0.75], "gaussian": [0.25, 1.0]}, "epochs": [2, 1]}


def tried(steps, dae=None, way="free", **changes):
    settings = ClassifierSettings(
        units=(4,), dropout=0.25, masking=0.25, batch_size=10, steps=steps, learning_rate=0.001
    )
    return Tried(replace(settings, **changes), dae, way)


@pytest.fixture
def settings(root):
    """Make studies/params.yaml with few dAEs, and other settings of tune."""

    def make(**changes):
        study_params = load_study_params(root / "studies" / "params.yaml")
        changes["daes"] = study_params.tune.daes.model_copy(update=DAES)
        return study_params.model_copy(update={"tune": study_params.tune.model_copy(update=changes)})

    return make


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


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
            number = tune.combinations(settings().tune).index(one.dae) if one.dae else []
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

    def configurations(params, settings, arm, frozen=False):
        if frozen:
            return [one for one in ACCURACIES if one.way != "free"][: 2 * settings.frozen]
        return [one for one in INSIDE if (one.dae is not None) == (arm == "with")]

    def near(ranked, number, settings, seed):
        arm = "with" if ranked[0].dae else "without"
        neighbours.append((arm, [one.settings.steps for one in ranked], number, seed))
        return [one for one in NEAR[arm] if one not in ranked][:number]

    monkeypatch.setattr(tune, "cross_validate", cross_validate)
    monkeypatch.setattr(_study.Study, "pretrain", pretrain)
    monkeypatch.setattr(tune, "configurations", configurations)
    monkeypatch.setattr(tune, "near", near)
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
    free = {arm: [draws for found, way, _, *draws in asked if (found, way) == (arm, "free")] for arm in tune.SECTIONS}
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


@pytest.fixture
def search(params, settings, small_study):
    """A search of four draws of 200 of the 1,000 images."""
    return Search(params.model_copy(update={"n_labels": 200}), settings(draws=[1, 3], keep=[1], folds=3).tune)


def test_each_draw_is_tested_on_the_labelled_images_of_all_others_and_on_none_of_its_own(search):
    """Though draws overlap, each image is tested once."""
    draws = [search.study.draw("tune", draw, 200).tolist() for draw in range(4)]
    seeds = set()
    for draw, own in enumerate(draws):
        others = np.concatenate(draws[:draw] + draws[draw + 1 :]).tolist()
        assert len(set(others)) < len(others)
        assert set(own) & set(others)
        train, out, seed = search.against_others(draw)
        assert train.tolist() == own
        assert sorted(out.tolist()) == sorted(set(others) - set(own))
        seeds.add(seed)
    assert len(seeds) == 4


def test_each_round_has_draws_of_its_own(search, monkeypatch):
    asked = []

    def cross_validate(study, configurations, tests):
        asked.append([(train.tolist(), out.tolist(), seed) for ((train, out, seed),) in tests])
        return [{"accuracies": [0.5] * len(tests), "temperatures": [1.0] * len(tests)}]

    monkeypatch.setattr(tune, "cross_validate", cross_validate)
    for number in (0, 1):
        search.score("without", [tried(1)], number)
    splits = [search.against_others(draw) for draw in range(4)]
    expected = [(train.tolist(), out.tolist(), seed) for train, out, seed in splits]
    assert asked == [expected[:1], expected[1:]]
    assert search.scores["without"] == {tried(1): [0.5] * 4}


def test_inside_a_draw_each_image_is_held_out_once_and_each_class_in_equal_parts(search):
    own, labels = search.draws[1], search.study.labels
    parts = search.folds(1)
    assert sorted(np.concatenate([out for _, out, _ in parts]).tolist()) == sorted(own.tolist())
    assert len({seed for *_, seed in parts} | {search.against_others(1)[2]}) == 4
    for train, out, _ in parts:
        assert sorted([*train.tolist(), *out.tolist()]) == sorted(own.tolist())
    counts = np.array([np.bincount(labels[out], minlength=10) for _, out, _ in parts])
    assert len(counts) == 3
    assert np.ptp(counts, axis=0).max() <= 1
    first, other = ([out.tolist() for _, out, _ in search.folds(draw)] for draw in (0, 1))
    assert first != other
    assert first == [out.tolist() for _, out, _ in search.folds(0)]


def test_the_choice_of_one_draw_is_made_inside_the_first_draw(search, monkeypatch):
    asked = []

    def cross_validate(study, configurations, tests):
        asked.append(sorted(np.concatenate([out for splits in tests for _, out, _ in splits]).tolist()))
        shares = range(len(configurations), 0, -1) if len(asked) == 1 else range(len(configurations))
        for share in shares:
            yield {"accuracies": [share / 100] * len(tests), "temperatures": [1.0] * len(tests)}

    monkeypatch.setattr(tune, "cross_validate", cross_validate)
    search.search("without")
    assert asked[0] == sorted(search.draws[0].tolist())
    assert list(search.one_draw["without"].values()) == [number / 100 for number in range(32, 0, -1)]
    assert search.by_one_draw("without") == tune.configurations(search.params, search.settings, "without")[0]


def test_configurations_are_as_many_in_both_arms_all_different_and_in_their_ranges(params, settings):
    space = {"learning_rate": [1e-5, 1e-2], "dropout": [0.1, 0.2], "masking": [0.0, 0.8], "steps": [500, 4000]}
    tuning = settings(configurations=200).tune
    tuning = tuning.model_copy(update={"space": tuning.space.model_copy(update=space)})
    arms = {arm: tune.configurations(params, tuning, arm) for arm in tune.SECTIONS}
    for arm, section in (("without", "baseline"), ("with", "finetune")):
        found = arms[arm]
        assert len(set(found)) == 200
        assert {one.way for one in found} == {"free"}
        assert {one.settings.batch_size for one in found} == {getattr(params, section).batch_size}
        assert {one.settings.frozen for one in found} == {0}
        for name, (low, high) in space.items():
            values = np.array([getattr(one.settings, name) for one in found])
            assert low <= values.min() and values.max() <= high
            # half of them lie in each half of the range; a learning rate's halves meet at its logarithm's middle
            middle = np.sqrt(low * high) if name == "learning_rate" else (low + high) / 2
            assert 70 < (values < middle).sum() < 130, name
        assert all(isinstance(one.settings.steps, int) for one in found)
    assert {one.dae for one in arms["without"]} == {None}
    assert {one.dae for one in arms["with"]} == set(tune.combinations(tuning))
    assert arms["with"] == tune.configurations(params, tuning, "with")
    assert arms["with"] != tune.configurations(params.model_copy(update={"seed": 1}), tuning, "with")


def test_an_encoder_is_frozen_in_both_ways_with_the_same_settings(params, settings):
    found = tune.configurations(params, settings(frozen=3).tune, "with", frozen=True)
    assert [one.way for one in found] == ["frozen", "frozen_first"] * 3
    assert [replace(one, way="") for one in found[::2]] == [replace(one, way="") for one in found[1::2]]
    assert len({one.settings for one in found}) == 3
    assert tune.configurations(params, settings(frozen=0).tune, "with", frozen=True) == []


SPACE = {"learning_rate": [1e-5, 1e-2], "dropout": [0.0, 0.7], "masking": [0.1, 0.8], "steps": [505, 4000]}


@pytest.fixture
def space(settings):
    """Settings of tune with few dAEs and with these ranges, or others."""

    def make(**changes):
        found = settings().tune
        return found.model_copy(update={"space": found.space.model_copy(update=SPACE | changes)})

    return make


def parent(place, **changes):
    """A configuration in the middle of its ranges, known again by its batch size, `place`."""
    middle = {"learning_rate": 0.00032, "dropout": 0.35, "masking": 0.45, "steps": 2300}
    return tried(**(middle | changes | {"batch_size": place}), dae=LEAST)


def test_those_near_the_best_move_every_value_a_little_and_apart_from_each_other(space):
    """By 15 % of the range, as a standard deviation; for a learning rate of the range of its logarithm."""
    found = tune.near([parent(1)], 400, space(), seed=0)
    assert len(set(found)) == 400
    assert {one.way for one in found} == {"free"}
    assert all(isinstance(one.settings.steps, int) for one in found)
    middle, places = parent(1).settings, []
    for name, (low, high) in SPACE.items():
        values = [getattr(one.settings, name) for one in found]
        assert np.mean([value == getattr(middle, name) for value in values]) < 0.1, name
        values, low, high = map(np.log, (values, low, high)) if name == "learning_rate" else (values, low, high)
        places.append((np.array(values) - low) / (high - low))
    assert np.mean(places, axis=1) == pytest.approx([0.5] * 4, abs=0.03)
    assert np.std(places, axis=1) == pytest.approx([0.15] * 4, rel=0.12)
    assert np.abs(np.corrcoef(places) - np.eye(4)).max() < 0.2


def test_those_near_the_edges_stay_in_the_ranges(space):
    low, high = ({name: ends[end] for name, ends in SPACE.items()} for end in (0, 1))
    found = tune.near([parent(1, **low), parent(2, **high)], 200, space(), seed=0)
    for name, (least, most) in SPACE.items():
        values = np.array([getattr(one.settings, name) for one in found])
        assert (values.min(), values.max()) == (least, most), name
        # those that would leave the range lie on its end
        assert 0.3 < np.isin(values, [least, most]).mean() < 0.7, name


def test_only_the_four_best_are_parents(space):
    found = tune.near([parent(place) for place in (5, 3, 6, 2, 4, 1)], 200, space(), seed=0)
    children = np.bincount([one.settings.batch_size for one in found], minlength=7)
    assert children[[1, 4]].tolist() == [0, 0]
    assert (children[[2, 3, 5, 6]] > 25).all()


def test_those_near_have_their_parents_dae_or_as_often_any(space):
    """Of eight dAEs, so that their parent's has half of them and an eighth of the other half."""
    tuning = space()
    found = [one.dae for one in tune.near([parent(1)], 800, tuning, seed=0)]
    counts = {dae: found.count(dae) / 800 for dae in tune.combinations(tuning)}
    assert counts.pop(LEAST) == pytest.approx(0.5625, abs=0.06)
    assert list(counts.values()) == pytest.approx([0.0625] * 7, abs=0.03)
    without = replace(parent(1), dae=None)
    assert {one.dae for one in tune.near([without], 20, tuning, seed=0)} == {None}


def test_those_near_are_none_that_was_tried(space):
    """Ranges in which all but the dropout round to one value: of six configurations, four were tried."""
    narrow = {"learning_rate": [0.001, 0.001001], "masking": [0.1, 0.1001], "steps": [100, 101], "dropout": [0.1, 0.15]}
    values = {"learning_rate": 0.001, "masking": 0.1, "steps": 100}
    known = [tried(**values, dropout=dropout) for dropout in (0.1, 0.12, 0.13, 0.15)]
    found = tune.near(known, 2, space(**narrow), seed=0)
    assert sorted(one.settings.dropout for one in found) == [0.11, 0.14]


def test_those_near_are_the_same_again_and_others_with_another_seed(space):
    ranked = [parent(1), parent(2)]
    first = tune.near(ranked, 10, space(), seed=3)
    assert tune.near(ranked, 10, space(), seed=3) == first
    assert not set(tune.near(ranked, 10, space(), seed=4)) & set(first)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("learning_rate", 0, 1e-5),
        ("learning_rate", 1 / 3, 1e-4),  # a decade of three
        ("learning_rate", 0.5, 0.00032),
        ("learning_rate", 1, 1e-2),
        ("dropout", 0, 0.0),
        ("dropout", 0.5, 0.35),
        ("dropout", 0.111, 0.078),
        ("dropout", 1, 0.7),
        ("masking", 0.5, 0.45),
        ("masking", 1, 0.8),
        ("steps", 0, 505),  # two digits of it would lie outside
        ("steps", 0.5, 2300),
        ("steps", 1, 4000),
    ],
)
def test_a_value_is_that_at_its_place_in_the_range_rounded_to_two_digits(space, name, place, value):
    found = tune.value_at(name, place, space().space)
    assert found == value
    assert type(found) is (int if name == "steps" else float)


@pytest.mark.parametrize("name", tune.TUNED)
def test_the_place_of_a_value_is_the_inverse(space, name):
    ranges = space().space
    low, high = SPACE[name]
    assert (tune.place_of(name, low, ranges), tune.place_of(name, high, ranges)) == pytest.approx((0, 1))
    for place in np.linspace(0, 1, 41):
        value = tune.value_at(name, place, ranges)
        assert tune.place_of(name, value, ranges) == pytest.approx(place, abs=0.015)
        again = tune.value_at(name, tune.place_of(name, value, ranges), ranges)
        assert again == value


@pytest.mark.parametrize(
    ("changes", "dae", "edges"),
    [
        ({}, None, []),
        ({"learning_rate": 1.1e-5}, None, ["learning_rate"]),
        ({"learning_rate": 2e-5}, None, []),  # a tenth of the range of the logarithm
        ({"learning_rate": 9e-3}, None, ["learning_rate"]),
        ({"dropout": 0.0}, None, []),  # less than none is impossible
        ({"dropout": 0.69}, None, ["dropout"]),
        ({"masking": 0.79, "steps": 510}, None, ["masking", "steps"]),
        ({"steps": 4000}, None, []),  # more would cost more than the main pipeline may
        ({}, ("masking", 0.5, 2), ["noise"]),
        ({}, ("masking", 0.65, 2), []),
        ({}, ("masking", 0.75, 2), ["noise"]),
    ],
)
def test_edges_are_those_beyond_which_the_best_might_lie(settings, changes, dae, edges):
    tuning = settings().tune
    space = {"learning_rate": [1e-5, 1e-2], "dropout": [0.0, 0.7], "masking": [0.0, 0.8], "steps": [500, 4000]}
    daes = tuning.daes.model_copy(update={"levels": {"masking": [0.75, 0.5, 0.65]}})
    tuning = tuning.model_copy(update={"space": tuning.space.model_copy(update=space), "daes": daes})
    assert tune.edges(tried(**({"steps": 2000} | changes), dae=dae), tuning) == edges


def test_cross_validation_scores_the_splits_of_a_test_together(params, small_study, monkeypatch):
    """Of the first test's images 80 % are classified correctly, of the second's 90 %, always 95 % sure.

    Where the wrong classes are equally probable, the best temperature makes the sureness the share that is correct.
    """
    given = []

    def train(jobs, n_jobs):
        for number, (job, settings) in enumerate(jobs):
            given.append((job, settings))
            truth = study.labels[[rows_of[image.tobytes()] for image in job.test_images]]
            wrong = np.arange(len(truth)) < (20 if number % 3 == 0 else (2 if number % 3 == 1 else 6))
            probabilities = np.full((len(truth), 10), 0.05 / 9, np.float32)
            probabilities[np.arange(len(truth)), np.where(wrong, (truth + 1) % 10, truth)] = 0.95
            yield ClassifierResult(probabilities, [], [], np.empty((0, 0)))

    study = _study.Study(params, 100, "studies.tune")
    rows_of = {image.tobytes(): row for row, image in enumerate(study.images)}
    monkeypatch.setattr(tune, "train_classifiers", train)
    rows = np.arange(10, 400)
    tests = [
        [(rows[:50], rows[50:150], 7)],
        [(rows[200:240], rows[300:320], 8), (rows[240:300], rows[320:380], 9)],  # of 20 and of 60 images
    ]
    one, other = tried(1, LEAST), tried(2, MOST, "frozen")
    found = list(tune.cross_validate(study, [(one, ["a"]), (other, ["b"])], tests))
    best = [round(float(np.log(9 * 0.95 / 0.05) / np.log(9 * p / (1 - p))), 2) for p in (0.8, 0.9)]
    assert [answer["accuracies"] for answer in found] == [[0.8, 0.9]] * 2
    for answer in found:
        assert answer["temperatures"] == pytest.approx(best, abs=0.011)
    assert [job.encoder for job, _ in given] == [["a"]] * 3 + [["b"]] * 3
    assert [settings for _, settings in given] == [one.settings] * 3 + [replace(other.settings, frozen=1)] * 3
    splits = [split for splits in tests for split in splits]
    for (job, _), (train_rows, out, seed) in zip(given, splits * 2, strict=True):  # the same of both configurations
        assert (job.images == study.images[train_rows]).all()
        assert (job.labels == study.labels[train_rows]).all()
        assert (job.test_images == study.images[out]).all()
        assert job.seed == seed
    assert "test_images" not in vars(study)


def test_an_encoder_that_is_frozen_first_is_trained_from_where_the_first_half_ends(monkeypatch):
    """Results keep the order of the jobs, whatever their ways."""
    calls = []

    def train(jobs, n_jobs):
        calls.append([])
        for number, (job, settings) in enumerate(jobs):
            calls[-1].append((job.encoder, settings))
            yield ClassifierResult(np.empty(0), [], [len(calls), number], np.empty(0))

    monkeypatch.setattr(tune, "train_classifiers", train)
    job = ClassifierJob(np.empty(0), np.empty(0), np.empty(0), ["encoder"], seed=1)
    ways = [tried(11, MOST, way) for way in ("free", "frozen_first", "frozen", "frozen_first")]
    found = [result.weights for result in tune.train_in_ways((job, one) for one in ways)]
    assert found == [[1, 0], [2, 0], [1, 2], [2, 1]]
    whole = ways[0].settings
    half = replace(whole, frozen=1, steps=5)
    assert calls[0] == [(["encoder"], s) for s in (whole, half, replace(whole, frozen=1), half)]
    rest = replace(whole, steps=6, learning_rate=0.0001)
    assert calls[1] == [([1, 1], rest), ([1, 3], rest)]


def test_all_weights_of_the_first_half_go_on(mnist, monkeypatch):
    """A second half that changes nothing leaves the classifier of the first, with the encoder as it was."""
    monkeypatch.setattr(tune, "GENTLE", 0.0)
    monkeypatch.setenv("DAE_JOBS", "1")
    images, labels = mnist["train_images"][:60].reshape(60, -1), mnist["train_labels"][:60]
    encoder = [np.random.default_rng(0).normal(0, 0.05, (784, 4)).astype(np.float32), np.zeros(4, np.float32)]
    job = ClassifierJob(images[:50], labels[:50], images[50:], encoder, seed=1)
    first, free = tried(20, MOST, "frozen_first"), tried(10, MOST)
    found, begun, other = tune.train_in_ways([(job, first), (job, replace(free, way="frozen")), (job, free)])
    assert all(np.array_equal(a, b) for a, b in zip(found.weights, begun.weights, strict=True))
    assert np.array_equal(found.probabilities, begun.probabilities)
    assert np.array_equal(found.weights[0], encoder[0])
    assert not np.array_equal(other.weights[0], encoder[0])


def test_a_baseline_needs_no_dae(params, settings, small_study, monkeypatch):
    monkeypatch.setattr(_study.Study, "pretrain", lambda *arguments, **more: pytest.fail("it trained a dAE"))
    answer = {"accuracies": [0.5, 0.5], "temperatures": [1.0, 1.0]}
    monkeypatch.setattr(tune, "cross_validate", lambda study, found, tests: [answer] * len(found))
    search = Search(params, settings(configurations=2, near=[1], draws=[2], keep=[]).tune)
    search.search("without")
    assert [len(values) for values in search.scores["without"].values()] == [2, 2, 2]
