from dataclasses import replace
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


def test_the_table_has_mean_and_deviation_of_every_network_and_method(params, root, small_study, monkeypatch):
    pretrained, tested, anchors = [], [], []

    def pretrain(self, name, settings, test=True):
        (how,) = settings
        pretrained.append((how, test))
        return [(list(range(2 * len(how.units))), {})]

    def test(self, name, draws, settings, encoders):
        assert [len(rows) for rows in draws] == [500, 500]
        tested.append((settings, *encoders))
        return [0.5, 0.75] if len(tested) == 1 else [0.5, 0.5]

    def anchor(study, drawn, model, grid, components):
        anchors.append(components)
        return {"accuracies": [0.25, 0.5]}

    monkeypatch.setattr(Study, "pretrain", pretrain)
    monkeypatch.setattr(Study, "test", test)
    monkeypatch.setattr(ablations, "anchor", anchor)
    study_params = load_study_params(root / "studies" / "params.yaml")
    settings = study_params.ablations.model_copy(update={"replicates": 2, "epochs": 6})
    ablations.main(params, study_params.model_copy(update={"ablations": settings}))

    usual = dae_settings(params, epochs=6)
    assert pretrained[0] == (usual, False)
    assert pretrained[2] == (replace(usual, tied=True), False)
    assert pretrained[7] == (replace(usual, epochs=18), False)
    assert pretrained[-1] == (replace(usual, units=(16, 32, 128), convolutional=True), False)
    with_, without = (classifier_settings(params, arm) for arm in ("finetune", "baseline"))
    assert [settings for settings, _ in tested[:3]] == [with_, without, replace(with_, frozen=3)]
    convolutional = replace(without, units=(16, 32, 128), convolutional=True)
    assert [tested[i][0] for i in (15, 17)] == [convolutional, replace(convolutional, augment=True)]
    starts = [encoder for _, encoder in tested]
    # all layers, none, all three times more, then one layer's kernel and biases, and two layers'
    assert starts[:6] == [[0, 1, 2, 3, 4, 5], [], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [0, 1], [0, 1, 2, 3]]
    assert (starts[9], starts[11]) == ([0, 1], [0, 1, 2, 3, 4, 5, 6, 7])
    assert anchors == [None, None, None, 50]
    table = pd.read_csv("reports/studies/ablations.csv")
    assert table[["group", "value"]].to_numpy().tolist() == [
        *([group, value] for group, value, *_ in VARIANTS),
        ["anchor", "logistic"],
        ["anchor", "neighbours"],
        ["anchor", "svm"],
        ["anchor", "pca_svm"],
    ]
    assert table.loc[[0, 1, 18], ["accuracy", "std"]].to_numpy().tolist() == [
        [0.625, 0.176777],
        [0.5, 0],
        [0.375, 0.176777],
    ]


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
