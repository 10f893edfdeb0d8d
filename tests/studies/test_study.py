import copy
import functools
import json
import operator
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from stages.common.errors import BadParameters
from stages.common.params import Params, load_params
from stages.common.surroundings import OURS, imported
from studies import _params, _study, ablations, controls, label_curve, ladder, noise_curve, pushed, tune
from studies._params import StudyParams, check, load_study_params
from tools.small import change


@pytest.fixture
def load_with(root, tmp_path):
    """Load studies/params.yaml with some keys set, by their dotted names."""

    path = tmp_path / "params.yaml"
    shutil.copy(root / "studies" / "params.yaml", path)

    def load(changes):
        change(path, changes)
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
        ("tune.space.dropout", [0.1], "2 different numbers from 0 to 0.9"),
        ("tune.space.steps", [500, 0], "whole numbers from 1"),
        ("tune.daes.levels", {"masking": [0.0]}, "numbers above 0, up to 1"),
        ("controls.replicates", 1, "a whole number from 2"),
        ("controls.frozen_learning_rate", 0, "a number above 0"),
        ("tune.near", [12, 0], "0 to 10 whole numbers from 1 to 500"),
        ("ablations", None, "a section with the keys models"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(load_with, key, value, allowed):
    with pytest.raises(BadParameters) as error:
        load_with({key: value})
    (line,) = str(error.value).splitlines()
    assert key in line
    assert allowed in line


def test_an_unknown_key_is_named_with_those_that_are_known(load_with):
    tune = load_with({}).tune.model_dump()
    with pytest.raises(BadParameters) as error:
        load_with({"tune": tune | {"budget": 3}})
    (line,) = str(error.value).splitlines()
    assert "tune.budget is not a known key; allowed here are configurations" in line


SEARCH = {"tune.configurations": 32, "tune.near": [12, 12], "tune.draws": [1, 1, 1]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"tune.draws": [1], "tune.keep": []},
            "tune.draws is [1]; allowed is a list whose sum is at least 2, as each draw is tested on the others",
        ),
        ({"tune.keep": [5]}, "tune.keep is [5]; allowed is a list of 2, one value fewer than tune.draws"),
        (
            SEARCH | {"tune.keep": [2, 5]},
            "tune.keep is [2, 5]; allowed is a list that never rises and starts below 56, the configurations and those",
        ),
        (
            SEARCH | {"tune.keep": [56, 5]},
            "tune.keep is [56, 5]; allowed is a list that never rises and starts below 56",
        ),
        (SEARCH | {"tune.near": [], "tune.keep": [32, 5]}, "a list that never rises and starts below 32, the conf"),
        ({"pushed.search.draws": [1], "pushed.search.keep": []}, "pushed.search.draws is [1]; allowed is a list whose"),
        (
            {"pushed.search.keep": []},
            "pushed.search.keep is []; allowed is a list of 1, one value fewer than pushed.sear",
        ),
        (
            {"tune.space.masking": [0.8, 0.1]},
            "tune.space.masking is [0.8, 0.1]; allowed is a list of the least and the largest value",
        ),
        ({"noise_curve.levels": {"masking": [0.5]}}, "allowed is two levels or more"),
        ({"ladder.costs": [1.0, 2.0, 3.0]}, "allowed is a list of 7, two values more than ladder.units"),
        ({"ladder.costs": [0.0] * 7}, "allowed is a list with a value above 0"),
        (
            {"ladder.n_labels": [500, 77]},
            "ladder.n_labels is [500, 77]; allowed is a list of numbers that stand in label_",
        ),
    ],
)
def test_values_that_do_not_fit_each_other_are_told(load_with, changes, message):
    with pytest.raises(BadParameters) as error:
        load_with(changes)
    (line,) = str(error.value).splitlines()
    assert message in line


@pytest.mark.parametrize(
    "changes",
    [
        SEARCH | {"tune.keep": [55, 55]},  # beside the choice of one draw, all others of 56
        SEARCH | {"tune.near": [], "tune.keep": [31, 5]},
        {"tune.draws": [2], "tune.keep": []},
        {"tune.draws": [1, 1], "tune.keep": [5]},
    ],
)
def test_values_that_just_fit_each_other_are_allowed(load_with, changes):
    load_with(changes)


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
            {"ladder.replicates": 11},
            "ladder.replicates is 11; allowed is at most 10, label_curve's",
        ),
        (
            {},
            {"ladder.replicates_elsewhere": 11},
            "ladder.replicates_elsewhere is 11; allowed is at most 10, label_curve's",
        ),
        ({}, {"controls.replicates": 21}, "controls.replicates is 21; allowed is at most 20, those of params.yaml"),
        ({"replicates": 9}, {}, "controls.replicates is 10; allowed is at most 9, those of params.yaml"),
        (
            {"stratified": True},
            {},
            "allowed is a list of numbers up to 54210 where split.stratified of params.yaml is true",
        ),
        (
            {"n_labels": 20},
            {"label_curve.n_labels": [20, 100], "ladder.n_labels": [20, 100], "tune.folds": 3},
            "params.yaml: n_labels is 20; allowed is at least 21 for the studies, so that a class has an image for",
        ),
        (
            {"n_labels": 50_001},
            {"label_curve.n_labels": [100, 50_001], "ladder.n_labels": [100, 50_001]},
            "params.yaml: n_labels is 50001; allowed is at most 50000 for the studies, as tune tests on labelled",
        ),
        ({"n_labels": 50_000}, {"label_curve.n_labels": [100, 50_000], "ladder.n_labels": [100, 50_000]}, None),
        ({}, {"tune.folds": 20}, None),
        ({"n_labels": 100}, {"tune.folds": 12}, "n_labels is 100; allowed is at least 111 for the studies"),
    ],
)
def test_the_two_files_of_parameters_fit_each_other(root, load_with, main, changes, message):
    params, study_params = load_params(root / "params.yaml"), load_with(changes)
    split = params.split.model_copy(update={"stratified": main.get("stratified", False)})
    changes = {key: value for key, value in main.items() if key != "stratified"}
    params = params.model_copy(update={"split": split} | changes)
    if message is None:
        check(params, study_params)
        return
    with pytest.raises(BadParameters) as error:
        check(params, study_params)
    (line,) = str(error.value).splitlines()
    assert message in line


def test_a_study_does_nothing_before_both_files_are_checked(root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setattr(_params, "run", lambda main: main(load_params().model_copy(update={"n_labels": 77})))
    with pytest.raises(BadParameters, match=r"ladder\.n_labels"):
        _params.run_study(lambda params, study_params: pytest.fail("it ran"))


def test_as_many_labels_as_the_rule_asks_for_are_enough_for_the_folds(mnist):
    """Whatever the draw: of 10 k + 1 images, some class has more than k."""
    for folds in (2, 5, 12):
        rows = np.random.default_rng(0).choice(60_000, 10 * (folds - 1) + 1, replace=False)
        assert np.bincount(mnist["train_labels"][rows]).max() >= folds


@pytest.fixture
def ask(root, mnist, monkeypatch, tmp_path):
    """Ask a study a question in a copy of the project's code; returns whether it had to be answered anew."""
    for package in OURS:
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    data = {"images": mnist["train_images"][:100].reshape(100, -1), "labels": mnist["train_labels"][:100]}
    monkeypatch.setattr(_study, "load_images", lambda path: data["images"])
    monkeypatch.setattr(_study, "load_array", lambda path: data["labels"])
    params = load_params(root / "params.yaml")

    def ask(answer=lambda: {"accuracies": [0.5, 0.25]}, module="studies.tune", steps=100, **changes) -> bool:
        asked = []
        study = _study.Study(params.model_copy(update=changes), 1, module)
        found = study.cached({"what": "a question", "steps": steps}, lambda: asked.append(True) or answer())
        assert found == {"accuracies": [0.5, 0.25]}
        return bool(asked)

    ask.folder, ask.data = tmp_path, data
    return ask


def test_finished_work_is_stored_and_found_again(ask):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(stop)
    assert ask()
    assert not ask()


def test_another_question_seed_or_study_has_another_answer(ask):
    assert ask()
    assert ask(steps=101)
    assert ask(seed=1)
    assert ask(dataset="fashion_mnist")
    assert ask(module="studies.noise_curve")
    assert not ask()


def test_other_data_have_another_answer(ask):
    assert ask()
    ask.data["images"] = ask.data["images"].copy()
    assert not ask()
    ask.data["images"][0, 0] += 1
    assert ask()
    ask.data["labels"] = ask.data["labels"][::-1]
    assert ask()


@pytest.mark.parametrize(
    "path", ["studies/tune.py", "studies/_study.py", "dae/core/training.py", "dae/__init__.py", "dae/reconstruction.py"]
)
def test_other_code_has_another_answer_and_other_words_about_it_the_same(ask, path):
    file = ask.folder / path
    assert ask()
    text = file.read_text()
    file.write_text(text.replace('"""', '"""Otherwise said: ', 1) + "\n\n# a comment\n")
    assert not ask()
    file.write_text(text + "\nANOTHER = 1\n")
    assert ask()


def test_code_that_a_study_does_not_import_or_only_draws_with_makes_no_new_answer(ask):
    assert ask()
    drawing = ("reporting/tune/figures.py", "reporting/common/figures.py", "stages/_figures.py")
    assert imported("studies.tune") >= {*drawing}
    for path in (*drawing, "studies/ladder.py", "dae/ladder.py", "studies/pages.py"):
        file = ask.folder / path
        file.write_text(file.read_text() + "\nANOTHER = 1\n")
    assert not ask()


def test_other_versions_of_packages_have_another_answer(ask, monkeypatch):
    assert ask()
    versions = _study.numeric_versions()
    assert {"numpy", "tensorflow", "keras", "scikit-learn"} <= versions.keys()
    monkeypatch.setattr(_study, "numeric_versions", lambda: versions | {"tensorflow": "2.99.0"})
    assert ask()


USED_AFTERWARDS = {  # parameters that only look at the answers
    "label_curve": {"evaluate", "n_labels"},
    "noise_curve": {"evaluate"},
    "ablations": {"evaluate"},
    "ladder": {"evaluate"},
    "pushed": {"evaluate"},
    "controls": {"evaluate"},
}
MODULES = (tune, controls, label_curve, noise_curve, ablations, ladder, pushed)
STUDIES = {module.__name__.split(".")[1]: module for module in MODULES}
ANSWER = {"accuracies": [0.9, 0.8], "noisy": 9.0, "denoised": 12.0, "temperatures": [1.0, 2.0]}
ANSWER |= {"accuracy": 0.9, "seconds": 1.0, "predicted": [1] * 2000, "percent": [50] * 2000}
MEASURED = {measure: [0.9] * 10 for measure in controls.MEASURES}
PAIRS = dict.fromkeys(("averaged_2", "averaged_4", "with_elsewhere", "without_elsewhere"), MEASURED)
FIRST = {"learning_rate": 0.01, "dropout": 0.1, "masking": 0.2, "steps": 10}
FIRST |= {"corruption": "masking", "noise": 0.5, "epochs": 1}
TUNED = {arm: {"by_one_draw": FIRST} for arm in tune.SECTIONS}


def changed(value: object) -> object:
    """Another value of a parameter."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return {"mnist": "fashion_mnist", "masking": "gaussian"}[value]
    if isinstance(value, list):
        return [*value[:-1], changed(value[-1])]
    return value + 1 if isinstance(value, int) else value * 0.9


def leaves(values: dict, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The paths of all values under a path."""
    inner = functools.reduce(operator.getitem, path, values)
    return [leaf for key in inner for leaf in leaves(values, (*path, key))] if isinstance(inner, dict) else [path]


@pytest.fixture
def questions(root, mnist, monkeypatch):
    """The questions of a study with these values of both files of parameters; all answers are the same."""
    asked = set()
    monkeypatch.chdir(root)
    monkeypatch.setattr(_study, "load_images", lambda path: mnist["train_images"][:2000].reshape(2000, -1))
    monkeypatch.setattr(_study, "load_array", lambda path: mnist["train_labels"][:2000])
    monkeypatch.setattr(_study, "imported", lambda module: set())  # the code stays as it is
    curve = pd.DataFrame({"n_labels": np.repeat([100, 500, 600, 1000], 6), "replicate": 1, "without": 0.9, "with": 0.9})
    runs = pd.DataFrame({"draw": range(20), "seed": 1, "dae": 0, "repeat": False})
    monkeypatch.setattr(pd, "read_csv", lambda path: runs if "runs" in path else curve)
    monkeypatch.setattr(controls, "load_json", lambda path: TUNED)
    monkeypatch.setattr(controls.Rows, "of_arm", lambda rows, folder: MEASURED)
    monkeypatch.setattr(controls, "main", lambda params, studies: controls.Rows(params, studies.controls).all())
    for module in MODULES:
        for function in ("save_table", "save_json", "save_figure", "labels_worth"):
            monkeypatch.setattr(module, function, lambda *arguments: None, raising=False)
        monkeypatch.setattr(module, "load_encoders", lambda models: [[np.zeros(1)]] * models, raising=False)

    def ask(name: str, values: dict, study_values: dict) -> set[str]:
        asked.clear()

        def cached_all(study, questions, answers):
            asked.update(json.dumps(study.shared | question | {"what": None}, sort_keys=True) for question in questions)
            return [MEASURED | PAIRS if name == "controls" else ANSWER] * len(questions)

        monkeypatch.setattr(_study.Study, "cached_all", cached_all)
        # the stage split drew the labelled images with these parameters
        drawn = np.zeros((20, values["n_labels"]), np.int32)
        monkeypatch.setattr(controls, "load_array", lambda path: drawn)
        STUDIES[name].main(Params.model_validate(values), StudyParams.model_validate(study_values))
        return set(asked)

    return ask


@pytest.fixture
def values(root) -> tuple[dict, dict]:
    """The values of both files of parameters, with numbers of labels that 2,000 images allow."""
    study_values = load_study_params(root / "studies" / "params.yaml").model_dump()
    study_values["label_curve"] |= {"n_labels": [100, 500], "replicates": 2}
    return load_params(root / "params.yaml").model_dump(), study_values


def with_another(values: dict, path: tuple[str, ...]) -> dict:
    """Values of which the one at a path is another."""
    other = copy.deepcopy(values)
    *sections, key = path
    target = functools.reduce(operator.getitem, sections, other)
    target[key] = 600 if key == "n_labels" else changed(target[key])  # one of those of the ladder, as the rules ask
    return other


@pytest.mark.parametrize("name", STUDIES)
def test_every_parameter_that_a_study_declares_changes_its_questions(root, values, questions, name):
    """So what DVC runs a study again for is never answered from the store."""
    main, studies = values
    usual = questions(name, main, studies)
    entry = yaml.safe_load((root / "studies" / "dvc.yaml").read_text())["stages"][name]["params"]
    declared = [leaf for key in entry if isinstance(key, str) for leaf in leaves(main, tuple(key.split(".")))]
    tried = [path for path in declared if path[0] not in USED_AFTERWARDS.get(name, ())]
    assert len(usual) > 1 and len(tried) > 3
    for path in tried:
        assert questions(name, with_another(main, path), studies) != usual, ".".join(path)


@pytest.mark.parametrize("name", ["tune", "noise_curve", "ablations"])
def test_every_parameter_of_a_study_itself_changes_its_questions(values, questions, name):
    main, studies = values
    usual, tried = questions(name, main, studies), leaves(studies, (name,))
    assert len(tried) > 1
    for path in tried:
        assert questions(name, main, with_another(studies, path)) != usual, ".".join(path)
