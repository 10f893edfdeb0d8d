import json

import numpy as np
import pytest
import yaml

from stages._params import BadParameters, load_params
from studies import _run, _study
from studies._params import check, load_study_params
from studies.tune import configurations


@pytest.fixture
def load_with(root, tmp_path):
    """Load studies/params.yaml with some keys set, by their dotted names."""

    def load(changes):
        values = yaml.safe_load((root / "studies" / "params.yaml").read_text())
        for key, value in changes.items():
            *sections, name = key.split(".")
            target = values
            for section in sections:
                target = target[section]
            target[name] = value
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(values))
        return load_study_params(path)

    return load


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("label_curve.n_labels", [500, 60_001], "whole numbers from 10 to 60000"),
        ("label_curve.replicates", 0, "a whole number from 2"),
        ("label_curve.replicates", 1, "a whole number from 2"),
        ("noise_curve.levels", {"masking": [1.5]}, "numbers above 0, up to 1"),
        ("noise_curve.levels", {"blur": [0.5]}, "numbers above 0, up to 1"),
        ("tune.folds", 1, "a whole number from 2 to 20"),
        ("tune.space.frozen", ["maybe"], "true and false"),
        ("ablations", None, "a section with the keys epochs"),
        ("tune.budget", 3, "not a known key; allowed here are configurations"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(load_with, key, value, allowed):
    with pytest.raises(BadParameters) as error:
        load_with({key: value})
    (line,) = str(error.value).splitlines()
    assert key in line
    assert allowed in line


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("tune.keep", [5], "tune.keep is [5]; allowed is a list of 2, one value fewer than tune.draws"),
        ("tune.keep", [2, 5], "a list that never rises and starts with at most 16, tune.configurations"),
        ("tune.keep", [17, 5], "a list that never rises and starts with at most 16, tune.configurations"),
        (
            "tune.configurations",
            217,
            "tune.configurations is 217; allowed is at most 216, the combinations of tune.space",
        ),
        ("noise_curve.levels", {"masking": [0.5]}, "allowed is two levels or more"),
        ("ladder.costs", [1.0, 2.0, 3.0], "allowed is a list of 7, two values more than ladder.units"),
        ("ladder.costs", [0.0] * 7, "allowed is a list with a value above 0"),
        (
            "ladder.n_labels",
            [500, 77],
            "ladder.n_labels is [500, 77]; allowed is a list of numbers that stand in label_",
        ),
    ],
)
def test_values_that_do_not_fit_each_other_are_told(load_with, key, value, message):
    with pytest.raises(BadParameters) as error:
        load_with({key: value})
    (line,) = str(error.value).splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("main", "changes", "message"),
    [
        (
            {"n_labels": 77},
            {},
            "studies/params.yaml: ladder.n_labels is [100, 500, 600, 1000]; allowed is a list with n_",
        ),
        (
            {},
            {"ladder.replicates": 7},
            "ladder.replicates is 7; allowed is at most 6, those of label_curve with 500 labels",
        ),
        ({}, {"label_curve.many": 500}, "ladder.replicates is 6; allowed is at most 3, those of label_curve with 500"),
        (
            {},
            {"ladder.n_labels": [100, 500], "ladder.replicates_elsewhere": 7},
            "ladder.replicates_elsewhere is 7; allowed is at most 6, those of label_curve with 100 labels",
        ),
        (
            {"stratified": True},
            {},
            "allowed is a list of numbers up to 54210 where split.stratified of params.yaml is true",
        ),
        (
            {"n_labels": 40},
            {"label_curve.n_labels": [40, 100], "ladder.n_labels": [40, 100]},
            "params.yaml: n_labels is 40; allowed is at least 41 for the studies, so that a class has an image for",
        ),
        ({}, {"tune.folds": 20}, None),
        ({"n_labels": 100}, {"tune.folds": 12}, "n_labels is 100; allowed is at least 111 for the studies"),
    ],
)
def test_the_two_files_of_parameters_fit_each_other(root, load_with, main, changes, message):
    params, study_params = load_params(root / "params.yaml"), load_with(changes)
    split = params.split.model_copy(update={"stratified": main.get("stratified", False)})
    params = params.model_copy(update={"n_labels": main.get("n_labels", params.n_labels), "split": split})
    if message is None:
        check(params, study_params)
        return
    with pytest.raises(BadParameters) as error:
        check(params, study_params)
    (line,) = str(error.value).splitlines()
    assert message in line


def test_a_study_does_nothing_before_both_files_are_checked(root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setattr(_run, "run", lambda main: main(load_params().model_copy(update={"n_labels": 77})))
    with pytest.raises(BadParameters, match=r"ladder\.n_labels"):
        _run.run_study(lambda params, study_params: pytest.fail("it ran"))


def test_as_many_labels_as_the_rule_asks_for_are_enough_for_the_folds(mnist):
    """Whatever the draw: of 10 k + 1 images, some class has more than k."""
    for folds in (2, 5, 12):
        rows = np.random.default_rng(0).choice(60_000, 10 * (folds - 1) + 1, replace=False)
        assert np.bincount(mnist["train_labels"][rows]).max() >= folds


def test_the_defaults_of_both_arms_are_the_best_that_tuning_found_for_the_baseline(root):
    """No straw man: neither params.yaml nor the committed choice may move without the other."""
    best = json.loads((root / "reports" / "studies" / "tune.json").read_text())["without"]
    settings = load_params(root / "params.yaml").finetune.model_dump()
    assert settings == {name: best.get(name, settings["batch_size"]) for name in settings}


def test_configurations_are_distinct_and_follow_the_seed(root):
    params, study_params = load_params(root / "params.yaml"), load_study_params(root / "studies" / "params.yaml")
    recipes = configurations(params, study_params)
    assert len(set(recipes)) == study_params.tune.configurations
    assert recipes == configurations(params, study_params)
    assert recipes != configurations(params.model_copy(update={"seed": 1}), study_params)
    assert {recipe.frozen for recipe in recipes} == {0, len(params.network.units)}


def test_finished_work_is_kept_and_found_again(root, mnist, monkeypatch, tmp_path):
    params = load_params(root / "params.yaml")
    monkeypatch.setattr(_study, "load_images", lambda path: mnist["train_images"])
    monkeypatch.setattr(_study, "load_array", lambda path: mnist["train_labels"])
    monkeypatch.setattr(_study, "KEPT", tmp_path)
    monkeypatch.chdir(root)
    asked = []

    def answer():
        asked.append(True)
        return {"accuracies": [0.5, 0.25]}

    def stop():
        raise KeyboardInterrupt

    question = {"what": "a unit", "steps": 100}
    with pytest.raises(KeyboardInterrupt):
        _study.Study(params, total=1).keep(question, stop)
    for _ in range(2):
        assert _study.Study(params, total=1).keep(question, answer) == {"accuracies": [0.5, 0.25]}
    assert len(asked) == 1
    _study.Study(params, total=1).keep(question | {"steps": 101}, answer)
    _study.Study(params.model_copy(update={"seed": 1}), total=1).keep(question, answer)
    assert len(asked) == 3
