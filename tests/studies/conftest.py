import numpy as np
import pytest

from studies import _study


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
