import numpy as np
import pandas as pd
import pytest

from dae.classifiers import ClassifierResult, ClassifierSettings
from stages import _classifiers
from stages.common.params import load_params


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


def test_the_settings_of_each_arm_are_those_of_its_section(params):
    own = {
        "finetune": {"dropout": 0.1, "masking": 0.2, "batch_size": 30, "steps": 400, "learning_rate": 0.05},
        "baseline": {"dropout": 0.6, "masking": 0.7, "batch_size": 80, "steps": 900, "learning_rate": 0.01},
    }
    params = params.model_copy(update={arm: getattr(params, arm).model_copy(update=how) for arm, how in own.items()})
    for arm, how in own.items():
        settings = _classifiers.classifier_settings(params, arm)
        assert settings == ClassifierSettings(units=(512, 256, 128), **how)
        assert (settings.frozen, settings.convolutional, settings.augment, settings.rescaled) == (0, False, False, True)


@pytest.mark.parametrize("arm", ["finetune", "baseline"])
def test_each_run_learns_its_draw_from_its_dae_with_its_seed(params, tmp_path, monkeypatch, arm):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_classifiers, "EVERY", 3)
    for folder in ("raw", "split"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    arrays = {
        "raw/train_images": np.arange(6).repeat(4).reshape(6, 2, 2).astype(np.uint8),
        "raw/train_labels": np.arange(6).astype(np.uint8) + 3,
        "raw/test_images": np.arange(10, 14).repeat(4).reshape(4, 2, 2).astype(np.uint8),
        "split/draws": np.array([[0, 1], [4, 5]]),
    }
    for name, array in arrays.items():
        np.save(f"data/{name}.npy", array)
    runs = {"draw": [0, 1, 1], "seed": [11, 12, 13], "dae": [0, 1, 0], "repeat": [False, False, True]}
    pd.DataFrame(runs).to_csv("data/split/runs.csv", index=False)
    given, saved = [], []

    def train(jobs, n_jobs):
        for number, (job, settings) in enumerate(jobs):
            assert settings == _classifiers.classifier_settings(params, arm)
            given.append(job)
            probabilities, watched = (
                np.full((4, 10), number, np.float32),
                np.array([[number, 8], [number, 9]], np.uint8),
            )
            history = [(100, number + 0.5), (200, number + 0.25)]
            yield ClassifierResult(probabilities, history, [f"weights {number}"], watched)

    def workers(jobs):
        def work(calls):
            saved.extend(calls)
            return [b"a model"]

        return work

    monkeypatch.setattr(_classifiers, "train_classifiers", train)
    monkeypatch.setattr(_classifiers, "workers", workers)
    _classifiers.train_arm(arm, params, [["first"], ["second"]])
    assert [job.images[:, 0].tolist() for job in given] == [[0, 1], [4, 5], [4, 5]]
    assert [job.labels.tolist() for job in given] == [[3, 4], [7, 8], [7, 8]]
    assert [job.encoder for job in given] == [["first"], ["second"], ["first"]]
    assert [job.seed for job in given] == [11, 12, 13]
    assert given[0].test_images.tolist() == [[10] * 4, [11] * 4, [12] * 4, [13] * 4]
    assert [job.watched.tolist() for job in given] == [[[10] * 4, [13] * 4]] * 3
    assert np.load(f"data/{arm}/probabilities.npy")[:, 3, 7].tolist() == [0, 1, 2]
    assert np.load(f"data/{arm}/watched.npy").tolist() == [[[n, 8], [n, 9]] for n in range(3)]
    history = pd.read_csv(f"reports/history/{arm}.csv")
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
    assert (tmp_path / "data" / arm / "classifier.keras").read_bytes() == b"a model"
