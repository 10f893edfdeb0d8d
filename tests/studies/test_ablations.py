import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier

from stages._classifiers import classifier_settings
from stages._daes import dae_settings
from stages.common.params import load_params
from studies import ablations
from studies._params import load_study_params
from studies._study import Study

VARIANTS = [
    ("reference", "with", True, {}, {}, None),
    ("reference", "without", False, {}, {}, None),
    ("encoder", "frozen", True, {"frozen": 3}, {}, None),
    ("weights", "tied", True, {}, {"tied": True}, None),
    ("transferred", "1", True, {}, {}, 1),
    ("transferred", "2", True, {}, {}, 2),
    ("epochs", "1", True, {}, {"epochs": 1}, None),
    ("epochs", "3", True, {}, {"epochs": 3}, None),
    ("epochs", "18", True, {}, {"epochs": 18}, None),
    ("depth", "1", True, {"units": (512,)}, {}, None),
    ("depth", "2", True, {"units": (512, 256)}, {}, None),
    ("depth", "4", True, {"units": (512, 256, 128, 64)}, {}, None),
    ("code", "16", True, {"units": (512, 256, 16)}, {}, None),
    ("code", "512", True, {"units": (512, 256, 512)}, {}, None),
    ("convolutional", "with", True, {"units": (16, 32, 128), "convolutional": True}, {"convolutional": True}, None),
    ("convolutional", "without", False, {"units": (16, 32, 128), "convolutional": True}, {}, None),
    (
        "convolutional_moved",
        "with",
        True,
        {"units": (16, 32, 128), "convolutional": True, "augment": True},
        {"convolutional": True},
        None,
    ),
    (
        "convolutional_moved",
        "without",
        False,
        {"units": (16, 32, 128), "convolutional": True, "augment": True},
        {},
        None,
    ),
]


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


def test_one_thing_is_changed_at_a_time(params):
    assert [tuple(vars(variant).values()) for variant in ablations.variants(params, epochs=6)] == VARIANTS
    tied = params.model_copy(update={"pretrain": params.pretrain.model_copy(update={"tied": True})})
    weights = ablations.variants(tied, epochs=6)[3]
    assert (weights.value, weights.dae) == ("free", {"tied": False})


@pytest.fixture
def table(params, root, small_study, monkeypatch):
    """Run the study with known accuracies in place of trainings; gives the dAEs, classifiers and methods asked for."""
    pretrained, tested, anchors = [], [], []
    accuracies = {  # with and without pre-training, by whether the network is convolutional and whether images move
        (False, False): ([0.5, 0.75], [0.5, 0.5]),
        (True, False): ([0.5, 0.5625], [0.5, 0.5]),
        (True, True): ([0.75, 0.875], [0.5, 0.75]),
    }

    def pretrain(self, name, settings, test=True):
        first, second = settings
        assert first == second
        assert name == "ablations"
        pretrained.append((first, test))
        layers = 2 * len(first.units)
        return [(list(range(10 * number, 10 * number + layers)), {}) for number in (1, 2)]

    def test(self, name, draws, settings, encoders):
        """The draws and the seeds are those of the study label_curve."""
        assert name == "label curve 500"
        assert [rows.tolist() for rows in draws] == [self.draw(name, r, 500).tolist() for r in (0, 1)]
        tested.append((settings, encoders))
        return accuracies[settings.convolutional, settings.augment][encoders == [[]]]

    def anchor(study, drawn, model, grid, components):
        assert [rows.tolist() for rows in drawn] == [study.draw("label curve 500", r, 500).tolist() for r in (0, 1)]
        anchors.append(components)
        return {"accuracies": [0.25, 0.5]}

    monkeypatch.setattr(Study, "pretrain", pretrain)
    monkeypatch.setattr(Study, "test", test)
    monkeypatch.setattr(ablations, "anchor", anchor)
    study_params = load_study_params(root / "studies" / "params.yaml")
    settings = study_params.ablations.model_copy(update={"replicates": 2, "epochs": 6, "models": 2})
    ablations.main(params, study_params.model_copy(update={"ablations": settings}))
    return SimpleNamespace(pretrained=pretrained, tested=tested, anchors=anchors)


def test_every_network_is_pre_trained_and_trained_with_its_own_changes(params, table):
    usual = dae_settings(params, epochs=6)
    assert len(table.pretrained) == len({*table.pretrained}) == 11  # what variants share is trained once
    assert table.pretrained[0] == (usual, False)
    assert table.pretrained[1] == (replace(usual, tied=True), False)
    assert table.pretrained[4] == (replace(usual, epochs=18), False)
    assert table.pretrained[-1] == (replace(usual, units=(16, 32, 128), convolutional=True), False)
    with_, without = (classifier_settings(params, arm) for arm in ("finetune", "baseline"))
    assert [settings for settings, _ in table.tested[:3]] == [with_, without, replace(with_, frozen=3)]
    convolutional = replace(without, units=(16, 32, 128), convolutional=True)
    assert [table.tested[i][0] for i in (15, 17)] == [convolutional, replace(convolutional, augment=True)]
    assert table.anchors == [None, None, None, 50]


def test_classifiers_take_the_layers_of_both_daes_in_turn(table):
    """The arrays of the first have the numbers from 10, those of the second from 20."""
    starts = [encoders for _, encoders in table.tested]
    whole = [[10, 11, 12, 13, 14, 15], [20, 21, 22, 23, 24, 25]]
    # all layers, none, all twice more, then one layer's kernel and biases, and two layers'
    assert starts[:4] == [whole, [[]], whole, whole]
    assert starts[4:6] == [[[10, 11], [20, 21]], [[10, 11, 12, 13], [20, 21, 22, 23]]]
    assert starts[9] == [[10, 11], [20, 21]]
    assert starts[11] == [[*range(10, 18)], [*range(20, 28)]]
    assert [number for number, start in enumerate(starts) if start == [[]]] == [1, 15, 17]


def test_the_table_has_the_paired_difference_of_every_network_and_method_from_the_reference(table):
    """Of two differences, half of the interval is 12.70620 times half their range."""
    table = pd.read_csv("reports/studies/ablations.csv")
    assert list(table) == ["group", "value", "accuracy", "difference", "low", "high"]
    assert table[["group", "value"]].to_numpy().tolist() == [
        *([group, value] for group, value, *_ in VARIANTS),
        ["anchor", "logistic"],
        ["anchor", "neighbours"],
        ["anchor", "svm"],
        ["anchor", "pca_svm"],
    ]
    assert table.loc[[0, 1, 16, 18], "accuracy":].to_numpy().tolist() == [
        [0.625, 0, 0, 0],
        [0.5, -0.125, -1.71328, 1.46328],  # 0 and -0.25
        [0.8125, 0.1875, -0.60664, 0.98164],  # 0.25 and 0.125
        [0.375, -0.25, -0.25, -0.25],
    ]


def test_the_gains_by_pre_training_are_paired_with_the_same_network_without(table):
    assert json.loads(Path("reports/studies/ablations.json").read_text()) == {
        "gains": {
            "reference": {"difference": 0.125, "low": -1.46328, "high": 1.71328},  # of 0 and 0.25
            "convolutional": {"difference": 0.03125, "low": -0.36582, "high": 0.42832},  # of 0 and 0.0625
            "convolutional_moved": {"difference": 0.1875, "low": -0.60664, "high": 0.98164},  # of 0.25 and 0.125
        }
    }


@pytest.mark.parametrize("components", [None, 2])
def test_a_method_learns_the_labelled_images_and_is_tested_on_the_others(monkeypatch, components):
    """Dark images are of class 0, light ones of class 1; one in four of the test images has the wrong label."""
    monkeypatch.setenv("DAE_JOBS", "1")
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    images = (200 * labels[:, None] + rng.integers(0, 50, (40, 9))).astype(np.uint8)
    study = SimpleNamespace(
        images=images, labels=labels, test_images=images[:8], test_labels=np.array([0, 1, 0, 1, 1, 0, 0, 1])
    )
    grid = {"n_neighbors": [1, 3]}
    drawn = [np.arange(20), np.arange(20, 40)]
    found = ablations.anchor(study, drawn, KNeighborsClassifier(), grid, components)
    assert found == {"accuracies": [0.75, 0.75]}
    study.labels = np.r_[labels[:20], 1 - labels[20:]]
    assert ablations.anchor(study, drawn, KNeighborsClassifier(), grid, components) == {"accuracies": [0.75, 0.25]}
