import numpy as np
import pytest
from scipy.special import softmax
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


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 10.0])
def test_tempering_divides_the_logits_and_keeps_the_most_probable_class(temperature):
    logits = np.random.default_rng(0).normal(size=(4, 500, 10)) * 5
    probabilities = softmax(logits, axis=-1).astype(np.float32)
    tempered = metrics.temper(probabilities, temperature)
    assert tempered.dtype == np.float32
    assert tempered == pytest.approx(softmax(logits / temperature, axis=-1), abs=1e-5)
    assert np.array_equal(tempered.argmax(axis=-1), probabilities.argmax(axis=-1))


def test_tempering_a_certain_prediction_is_no_error():
    tempered = metrics.temper(np.array([[1.0, 0.0, 0.0]], np.float32), 2.0)
    assert tempered[0, 0] > 0.999
    assert tempered.sum() == pytest.approx(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_overconfident_predictions_is_found(temperature):
    """Labels are drawn from the probabilities; then their logits are multiplied by the temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 10)) * 2
    truth = softmax(logits, axis=1)
    labels = (truth.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    given = softmax(logits * temperature, axis=1).astype(np.float32)
    found = metrics.fit_temperature(given, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    assert found == round(found, 2)
    here = metrics.log_loss(metrics.temper(given, found), labels)
    assert here <= min(metrics.log_loss(metrics.temper(given, found * factor), labels) for factor in (0.97, 1.03))


def test_the_temperature_has_bounds():
    probabilities = np.tile([0.6, 0.4], (50, 1)).astype(np.float32)
    low, high = metrics.TEMPERATURES
    assert metrics.fit_temperature(probabilities, np.zeros(50, int)) == pytest.approx(low, abs=0.01)
    assert metrics.fit_temperature(probabilities, np.ones(50, int)) == pytest.approx(high, rel=0.01)
