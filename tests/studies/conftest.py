import numpy as np
import pytest

from stages._classifiers import classifier_settings
from stages.common.params import load_params
from studies import _study
from studies._params import load_study_params
from studies._search import SECTIONS, Search

DAES = {"levels": {"masking": [0.5, 0.75], "gaussian": [0.25, 1.0]}, "epochs": [2, 1]}


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


@pytest.fixture
def small_study(tmp_path, monkeypatch, mnist):
    """Studies see 1,000 training and 200 test images, and write and store all below a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_study, "STORE", tmp_path / "store")

    def array(path):
        name = path.split("/")[-1].removesuffix(".npy")
        return mnist[name][: 1000 if name.startswith("train") else 200]

    monkeypatch.setattr(_study, "load_array", array)
    monkeypatch.setattr(_study, "load_images", lambda path: array(path).reshape(len(array(path)), -1))
    return tmp_path


@pytest.fixture
def encoders_of(monkeypatch):
    """Let a study find encoders of one array each, which holds the dAE's number."""

    def patch(module) -> None:
        monkeypatch.setattr(module, "load_encoders", lambda models: [[np.full(1, i)] for i in range(models)])

    return patch


@pytest.fixture
def settings(root):
    """Make studies/params.yaml with few dAEs, and other settings of tune."""

    def make(**changes):
        study_params = load_study_params(root / "studies" / "params.yaml")
        changes["daes"] = study_params.tune.daes.model_copy(update=DAES)
        return study_params.model_copy(update={"tune": study_params.tune.model_copy(update=changes)})

    return make


@pytest.fixture
def search(params, settings, small_study):
    """Make a search of four draws of 200 of the 1,000 images, with another name or other settings of both arms."""

    def make(name="tune", changes=lambda found: found):
        params_of_few = params.model_copy(update={"n_labels": 200})
        arms = {arm: changes(classifier_settings(params, section)) for arm, section in SECTIONS.items()}
        study = _study.Study(params_of_few, 1000, "studies.tune")
        found = settings(configurations=32, near=[5, 7], draws=[1, 3], keep=[1])
        return Search(study, found.tune, name, arms)

    return make
