import json

import numpy as np
import pandas as pd
import pytest

from dae.classifiers import ClassifierResult
from stages.common.params import load_params
from studies import best


@pytest.fixture
def compare(root, tmp_path, monkeypatch):
    """Run the study on four test images, from which of them each run has right; gives its answer and its trainings."""
    monkeypatch.chdir(tmp_path)
    for folder in ("data/raw", "data/split", "data/pretrain", "reports/studies"):
        (tmp_path / folder).mkdir(parents=True)
    params = load_params(root / "params.yaml")
    params = params.model_copy(
        update={
            "pretrain": params.pretrain.model_copy(update={"models": 2}),
            "network": params.network.model_copy(update={"units": [5, 4, 3]}),
        }
    )
    arrays = {
        "raw/train_images": np.arange(6).repeat(4).reshape(6, 2, 2).astype(np.uint8),
        "raw/train_labels": np.arange(6).astype(np.uint8),
        "raw/test_images": np.zeros((4, 2, 2), np.uint8),
        "raw/test_labels": np.array([0, 1, 2, 3], np.uint8),
        "split/draws": np.array([[0, 1], [2, 3], [4, 5]]),
    }
    for name, array in arrays.items():
        np.save(f"data/{name}.npy", array)
    np.savez("data/pretrain/encoders.npz", *(np.full(1, i) for i in (1, 2, 3, 4)))
    runs = {"draw": [0, 1, 2, 0], "seed": [11, 12, 13, 14], "dae": [0, 1, 0, 1], "repeat": [False, False, False, True]}
    pd.DataFrame(runs).to_csv("data/split/runs.csv", index=False)
    settings = {"learning_rate": 0.01, "dropout": 0.25, "masking": 0.5}
    chosen = {"without": settings | {"steps": 7, "frozen": False}, "with": settings | {"steps": 8, "frozen": True}}
    (tmp_path / "reports/studies/tune.json").write_text(json.dumps(chosen))
    trained = []

    def run(without, with_):
        def train(jobs, settings, n_jobs):
            hits = {7: without, 8: with_}[settings.steps]
            for job, right in zip(jobs, hits, strict=True):
                trained.append((job, settings))
                predicted = (np.arange(4) + 1 - np.array(right)) % 4
                yield ClassifierResult(np.eye(4)[predicted], [], [])

        monkeypatch.setattr(best, "train_classifiers", train)
        best.main(params, None)
        return json.loads((tmp_path / "reports/studies/best.json").read_text()), trained

    return run


def test_the_answer_for_three_replicates(compare):
    answer, _ = compare([[0, 0, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]], [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
    assert (answer["without"], answer["with"], answer["difference"]) == (0.75, 1.0, 0.25)
    assert (answer["wins"], answer["replicates"]) == (2, 3)


def test_the_verdict_rests_on_the_interval_over_replicates_and_images(compare):
    """All replicates gain the same one of four images; another might have been drawn, or this one up to three times."""
    answer, _ = compare([[0, 1, 1, 1]] * 3, [[1, 1, 1, 1]] * 3)
    assert answer == {
        "verdict": "inconclusive",
        "without": 0.75,
        "with": 1.0,
        "difference": 0.25,
        "low": 0.0,
        "high": 0.75,
        "wins": 3,
        "replicates": 3,
    }


def test_each_arm_trains_at_its_own_best_on_the_pipelines_replicates(compare):
    _, trained = compare([[1, 1, 1, 1]] * 3, [[1, 1, 1, 1]] * 3)
    assert len(trained) == 6
    for arm, number in (("without", 0), ("with", 3)):
        for r, (job, settings) in enumerate(trained[number : number + 3]):
            assert settings.units == (5, 4, 3)
            assert (settings.learning_rate, settings.dropout, settings.masking) == (0.01, 0.25, 0.5)
            assert (settings.steps, settings.frozen) == {"without": (7, 0), "with": (8, 3)}[arm]
            assert job.seed == [11, 12, 13][r]
            assert job.labels.tolist() == [[0, 1], [2, 3], [4, 5]][r]
            assert job.images[:, 0].tolist() == [[0, 1], [2, 3], [4, 5]][r]
            encoder = [int(array[0]) for array in job.encoder]
            assert encoder == {"without": [], "with": [[1, 2], [3, 4], [1, 2]][r]}[arm]
