import json

import pytest
import yaml

from stages._params import BadParameters, load_params
from studies import _study
from studies._params import load_study_params
from studies.tune import configurations


@pytest.fixture
def load_with(root, tmp_path):
    """Load studies/params.yaml with one key set, by its dotted name."""

    def load(key, value):
        values = target = yaml.safe_load((root / "studies" / "params.yaml").read_text())
        *sections, name = key.split(".")
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
        load_with(key, value)
    (line,) = str(error.value).splitlines()
    assert key in line
    assert allowed in line


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
