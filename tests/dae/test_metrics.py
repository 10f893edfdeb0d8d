import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from dae import metrics


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 2000)
    logits = rng.normal(size=(3, 2000, 10)) + 2 * np.eye(10)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return probabilities.astype(np.float32), labels


def test_measures_agree_with_scikit_learn(predictions):
    probabilities, labels = predictions
    for p in probabilities:
        ours = metrics.evaluate(p, labels)
        predicted = p.argmax(axis=1)
        assert ours["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(labels, predicted))
        assert ours["error"] == pytest.approx(1 - ours["accuracy"])
        assert ours["macro_f1"] == pytest.approx(sklearn_metrics.f1_score(labels, predicted, average="macro"))
        assert ours["log_loss"] == pytest.approx(
            sklearn_metrics.log_loss(labels, p / p.sum(axis=1, keepdims=True, dtype=np.float64)), rel=1e-5
        )
        assert ours["brier"] == pytest.approx(sklearn_metrics.brier_score_loss(labels, p, scale_by_half=False))
        recall = sklearn_metrics.recall_score(labels, predicted, average=None)
        assert [ours[f"recall_{c}"] for c in range(10)] == pytest.approx(recall)
        confusion = sklearn_metrics.confusion_matrix(labels, predicted)
        assert np.array_equal(metrics.confusion_matrix(p, labels), confusion)


def test_calibration_error_of_known_cases():
    labels = np.array([0] * 8 + [1] * 2)
    always_zero = np.tile([0.8, 0.2], (10, 1))
    assert metrics.calibration_error(always_zero, labels) == pytest.approx(0.0)
    overconfident = np.tile([1.0, 0.0], (10, 1))
    assert metrics.calibration_error(overconfident, labels) == pytest.approx(0.2)


def test_a_certain_mistake_costs_much_but_not_infinitely_much():
    assert 80 < metrics.log_loss(np.array([[1.0, 0.0]], np.float32), np.array([1])) < 100


def test_a_class_without_images_or_predictions_is_no_division_by_zero():
    probabilities = np.tile([0.9, 0.1, 0.0], (4, 1))
    measures = metrics.evaluate(probabilities, np.zeros(4, int))
    assert measures["accuracy"] == measures["recall_0"] == 1.0
    assert measures["recall_2"] == 0.0


def test_reliability_sums_confidence_and_hits_in_each_bin():
    probabilities = np.array([[0.95, 0.05], [0.97, 0.03], [0.6, 0.4]], np.float32)
    sums = metrics.reliability(probabilities, np.array([0, 1, 0]))
    assert sums["images"].shape == (metrics.BINS,)
    assert sums["images"][[14, 9]].tolist() == [2, 1]
    assert sums["confidence"][14] == pytest.approx(1.92)
    assert sums["correct"][[14, 9]].tolist() == [1, 1]
    assert sums["images"].sum() == 3


def test_every_metric_is_evaluated_by_its_name(predictions):
    probabilities, labels = predictions
    found = metrics.evaluate(probabilities[0], labels)
    assert [name for name in found if not name.startswith("recall_")] == list(metrics.METRICS)
    assert all(found[name] == metric(probabilities[0], labels) for name, metric in metrics.METRICS.items())
