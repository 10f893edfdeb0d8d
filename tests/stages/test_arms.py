import numpy as np
import pandas as pd
import pytest

from dae.classifiers import ClassifierResult
from stages import _classifiers
from stages.common.params import load_params


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


def test_the_settings_of_both_arms_are_those_of_params_yaml(params):
    settings = _classifiers.classifier_settings(params)
    assert settings.units == (512, 256, 128)
    assert (settings.dropout, settings.masking, settings.learning_rate) == (0.3, 0.5, 0.003)
    assert (settings.batch_size, settings.steps) == (50, 4000)
    assert (settings.frozen, settings.convolutional, settings.augment) == (0, False, False)


def test_each_run_learns_its_draw_from_its_dae_with_its_seed(params, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("raw", "split"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    arrays = {
        "raw/train_images": np.arange(6).repeat(4).reshape(6, 2, 2).astype(np.uint8),
        "raw/train_labels": np.arange(6).astype(np.uint8) + 3,
        "raw/test_images": np.full((4, 2, 2), 9, np.uint8),
        "split/draws": np.array([[0, 1], [4, 5]]),
    }
    for name, array in arrays.items():
        np.save(f"data/{name}.npy", array)
    runs = {"draw": [0, 1, 1], "seed": [11, 12, 13], "dae": [0, 1, 0], "repeat": [False, False, True]}
    pd.DataFrame(runs).to_csv("data/split/runs.csv", index=False)
    given, saved = [], []

    def train(jobs, settings, n_jobs):
        assert settings == _classifiers.classifier_settings(params)
        for number, job in enumerate(jobs):
            given.append(job)
            probabilities = np.full((4, 10), number, np.float32)
            yield ClassifierResult(probabilities, [(100, number + 0.5), (200, number + 0.25)], [f"weights {number}"])

    def workers(jobs):
        def work(calls):
            saved.extend(calls)
            return [b"a model"]

        return work

    monkeypatch.setattr(_classifiers, "train_classifiers", train)
    monkeypatch.setattr(_classifiers, "workers", workers)
    _classifiers.train_arm("finetune", params, [["first"], ["second"]])
    assert [job.images[:, 0].tolist() for job in given] == [[0, 1], [4, 5], [4, 5]]
    assert [job.labels.tolist() for job in given] == [[3, 4], [7, 8], [7, 8]]
    assert [job.encoder for job in given] == [["first"], ["second"], ["first"]]
    assert [job.seed for job in given] == [11, 12, 13]
    assert given[0].test_images.shape == (4, 4)
    assert np.load("data/finetune/probabilities.npy")[:, 3, 7].tolist() == [0, 1, 2]
    history = pd.read_csv("reports/history/finetune.csv")
    assert history.to_numpy().tolist() == [
        [1, 100, 0.5],
        [1, 200, 0.25],
        [2, 100, 1.5],
        [2, 200, 1.25],
        [3, 100, 2.5],
        [3, 200, 2.25],
    ]
    ((_, (_, weights), _),) = saved
    assert weights == ["weights 0"]
    assert (tmp_path / "data" / "finetune" / "classifier.keras").read_bytes() == b"a model"
