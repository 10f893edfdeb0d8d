import numpy as np

from benchmarks.parts import studies


def test_units_are_as_many_as_the_studies_train(root, monkeypatch):
    monkeypatch.chdir(root)
    images, labels = np.zeros((200, 784), np.uint8), np.zeros(200, np.uint8)
    work = studies.Work(*studies._parameters(quick=True), images, labels, images)
    # in each arm two on one draw and in two folds of it, one near them, then two on the other draw; frozen in two ways
    assert work.configuration()[1] == 2 * (2 * (1 + 2) + 1 + 2) + 2 * 2
    assert work.dae()[1] == 4  # of three levels, and without noise
    assert work.classifier()[1] == 2 * (3 + 3 / 2)  # the baseline takes half the steps
    assert work.ladder_epoch(gamma=False)[1] == 2 * 2 * 2 + 2 * 1  # and those of the fast setting
    assert work.ladder_epoch(gamma=True)[1] == 2 * 2 * 2
    assert work.student()[1] == 2 * 2 * 2


def test_classifiers_with_more_steps_count_as_several(root, monkeypatch):
    monkeypatch.chdir(root)
    params, study_params = studies._parameters(quick=True)
    curve = study_params.label_curve.model_copy(update={"min_epochs": 100})  # 200 labels need 400 steps, not 200
    params = params.model_copy(update={"baseline": params.baseline.model_copy(update={"steps": 300})})
    work = studies.Work(params, study_params.model_copy(update={"label_curve": curve}), *np.zeros((3, 200, 784), "u1"))
    assert work.classifier()[1] == 2 * (1 + 1 + 2) + 2 * (1.5 + 1.5 + 2)
