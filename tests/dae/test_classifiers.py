from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from dae.classifiers import ClassifierJob, ClassifierSettings, _used, train_classifiers
from dae.metrics import evaluate
from dae.sampling import draw_labelled

SETTINGS = ClassifierSettings(units=(32, 16), dropout=0.2, masking=0.3, batch_size=20, steps=60, learning_rate=0.003)


@pytest.fixture(scope="module")
def train(mnist):
    draws = np.stack([draw_labelled(mnist["train_labels"], 100, seed, stratified=True) for seed in range(3)])

    images, labels = mnist["train_images"].reshape(60_000, -1), mnist["train_labels"]
    test_images = mnist["test_images"][:1000].reshape(1000, -1)

    def run(n_jobs=2, encoder=(), settings=SETTINGS, order=(0, 1, 2), watched=0, change=lambda images: images):
        jobs = [
            ClassifierJob(change(images[draw]), labels[draw], test_images, encoder, seed, test_images[:watched])
            for draw, seed in zip(draws, [5, 6, 7], strict=True)
        ]
        return list(train_classifiers([(jobs[i], settings) for i in order], n_jobs))

    return run


def test_results_do_not_depend_on_the_number_of_processes(train):
    one, two = train(n_jobs=1), train(n_jobs=2)
    assert len(one) == 3
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.probabilities, b.probabilities)
        assert a.history == b.history


def test_results_do_not_depend_on_what_a_worker_did_before(train):
    expected, order = train(), (2, 0, 1)
    for i, trained in zip(order, train(n_jobs=1, order=order), strict=True):
        assert np.array_equal(trained.probabilities, expected[i].probabilities)
        assert all(np.array_equal(a, b) for a, b in zip(trained.weights, expected[i].weights, strict=True))


def test_probabilities_are_right_and_better_than_chance(train, mnist):
    for result in train():
        assert result.probabilities.dtype == np.float32
        assert np.allclose(result.probabilities.sum(axis=1), 1, atol=1e-5)
        assert (result.probabilities.argmax(axis=1) == mnist["test_labels"][:1000]).mean() > 0.4


def test_the_arms_differ_in_the_encoders_initial_weights_alone(train):
    """With the encoder that the baseline draws itself, the pre-trained arm is the baseline."""
    from dae.core.networks import build_classifier, initial_weights
    from dae.core.seeds import derive

    own = initial_weights(build_classifier(784, SETTINGS.units, SETTINGS.dropout), derive(5, "weights"))[:4]
    baseline, other = train()[0], train(encoder=own)
    assert np.array_equal(other[0].probabilities, baseline.probabilities)
    assert not np.array_equal(other[1].probabilities, train()[1].probabilities)


def test_frozen_layers_keep_their_weights(train):
    frozen = train(settings=replace(SETTINGS, frozen=1))[0]
    free = train()[0]
    from dae.core.networks import build_classifier, initial_weights
    from dae.core.seeds import derive

    initial = initial_weights(build_classifier(784, SETTINGS.units, SETTINGS.dropout), derive(5, "weights"))
    assert all(np.array_equal(a, b) for a, b in zip(frozen.weights[:2], initial[:2], strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(frozen.weights[2:], initial[2:], strict=True))
    assert not np.array_equal(free.weights[0], initial[0])


def test_each_job_has_its_own_settings(mnist):
    """Side by side in the same process, with other widths, rates and steps."""
    images, labels = mnist["train_images"][:100].reshape(100, -1), mnist["train_labels"][:100]
    job = ClassifierJob(images, labels, images[:10], (), seed=5)
    kinds = [SETTINGS, replace(SETTINGS, learning_rate=0.001), replace(SETTINGS, units=(20,), steps=40)]
    together = list(train_classifiers([(job, kind) for kind in kinds], n_jobs=1))
    assert [result.weights[0].shape for result in together] == [(784, 32), (784, 32), (784, 20)]
    assert [result.history[-1][0] for result in together] == [60, 60, 40]
    assert not np.array_equal(together[0].weights[0], together[1].weights[0])
    for kind, result in zip(kinds, together, strict=True):
        (alone,) = train_classifiers([(job, kind)], n_jobs=1)
        assert np.array_equal(alone.probabilities, result.probabilities)


def inked(images):
    """Images of which the first has no pixel that is 0, so that all pixels are used."""
    images = images.copy()
    images[0] = np.maximum(images[0], 1)
    return images


def trained_whole(mnist, settings, change=lambda images: images, stop_at=None):
    """The network of the first draw, trained on all of its pixels; an error may stop it after `stop_at` steps."""
    from dae.classifiers import classification_loss
    from dae.core.networks import build_classifier, build_convolutional_classifier, initial_weights
    from dae.core.seeds import derive
    from dae.core.training import Trainer

    rows = draw_labelled(mnist["train_labels"], 100, 0, stratified=True)
    if settings.convolutional:
        model = build_convolutional_classifier(784, settings.units, settings.dropout)
    else:
        model = build_classifier(784, settings.units, settings.dropout)
    loss = classification_loss(model, settings.masking, settings.augment)

    def stop(step, loss):
        if step == stop_at:
            raise InterruptedError

    with pytest.raises(InterruptedError) if stop_at else nullcontext():
        Trainer(model, loss).fit(
            change(mnist["train_images"][rows].reshape(100, -1)),
            mnist["train_labels"][rows],
            weights=initial_weights(model, derive(5, "weights")),
            batch_size=settings.batch_size,
            steps=settings.steps,
            learning_rate=settings.learning_rate,
            seed=5,
            log_every=max(1, settings.steps // 40),
            on_log=stop,
        )
    return model


def test_the_watched_classes_are_those_of_a_training_that_stops_there(train, mnist):
    """Stopped by an error at an entry of the history, the network itself tells what it would have predicted.

    All pixels are used, because masking draws its random numbers for the used pixels only.
    """
    from dae.core.images import scale
    from dae.core.training import predict

    how = {"settings": replace(SETTINGS, steps=90), "order": [0], "change": inked}  # an entry every two steps
    plain, watching = train(**how)[0], train(**how, watched=200)[0]
    assert [step for step, _ in watching.history] == list(range(2, 91, 2))
    assert watching.watched.shape == (45, 200)
    assert watching.watched.dtype == np.uint8
    assert np.array_equal(watching.watched[-1], watching.probabilities[:200].argmax(axis=1))
    assert len(np.unique(watching.watched, axis=0)) > 20
    # nothing is watched unless it is asked for, and watching changes nothing
    assert plain.watched.shape == (45, 0)
    assert np.array_equal(plain.probabilities, watching.probabilities)

    model = trained_whole(mnist, how["settings"], change=inked, stop_at=30)
    stopped = predict(model, scale(mnist["test_images"][:200].reshape(200, -1))).argmax(axis=1)
    assert np.array_equal(watching.watched[14], stopped)
    assert not np.array_equal(watching.watched[13], stopped)


def test_the_weights_of_pixels_that_are_0_in_every_image_keep_their_initial_values(train, mnist):
    from dae.core.networks import build_classifier, initial_weights
    from dae.core.seeds import derive

    initial = initial_weights(build_classifier(784, SETTINGS.units, SETTINGS.dropout), derive(5, "weights"))
    rows = draw_labelled(mnist["train_labels"], 100, 0, stratified=True)
    zero = ~mnist["train_images"][rows].reshape(100, -1).any(axis=0)
    assert 100 < zero.sum() < 400
    weights = train(order=[0])[0].weights
    moved = (weights[0] != initial[0]).any(axis=1)
    assert np.array_equal(moved, ~zero)
    assert not any(np.array_equal(a, b) for a, b in zip(weights[1:], initial[1:], strict=True))


def test_leaving_out_pixels_that_are_0_changes_no_more_than_the_last_digits(train, mnist):
    """So each row of the kernel is back at its own pixel. Without masking, as that is drawn for the used pixels only.

    Some test images have ink where no labelled image has any.
    """
    from dae.core.images import scale
    from dae.core.training import predict

    settings = replace(SETTINGS, masking=0.0)
    trained, whole = train(settings=settings, order=[0], watched=1000)[0], trained_whole(mnist, settings)
    for found, expected in zip(trained.weights, whole.get_weights(), strict=True):
        assert np.allclose(found, expected, atol=1e-4)
    logits = predict(whole, scale(mnist["test_images"][:1000].reshape(1000, -1)))
    assert np.allclose(trained.probabilities, softmax(logits, axis=1), atol=1e-3)
    assert (trained.watched[-1] == logits.argmax(axis=1)).mean() > 0.995


@pytest.mark.parametrize("kind", [{"augment": True}, {"units": (4, 8, 16), "convolutional": True}])
def test_where_neighbours_matter_all_pixels_are_used(train, mnist, kind):
    """Images that are moved bring ink to pixels that were 0 in all of them, and convolutions need whole images."""
    settings = replace(SETTINGS, steps=20, **kind)
    (found,), whole = train(settings=settings, order=[0]), trained_whole(mnist, settings)
    assert all(np.array_equal(a, b) for a, b in zip(found.weights, whole.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("n_pixels", "n_inked", "width"),
    [(784, 0, 64), (784, 1, 64), (784, 64, 64), (784, 65, 128), (784, 768, 768), (784, 769, 784), (50, 3, 50)],
)
def test_the_pixels_used_are_all_with_ink_and_as_many_more_as_make_a_multiple_of_64(n_pixels, n_inked, width):
    images = np.zeros((3, n_pixels), np.uint8)
    with_ink = np.random.default_rng(0).permutation(n_pixels)[:n_inked]
    images[np.arange(n_inked) % 3, with_ink] = 1  # each of them in one image alone
    used = _used(images, SETTINGS)
    assert len(used) == width
    assert used.tolist() == sorted(set(used.tolist()))
    assert set(used.tolist()) <= set(range(n_pixels))
    assert set(with_ink.tolist()) <= set(used.tolist())
    for kind in ({"augment": True}, {"convolutional": True}):
        whole = np.arange(n_pixels)
        assert whole[_used(images, replace(SETTINGS, **kind))].tolist() == whole.tolist()


def test_images_without_any_ink_are_no_error(train):
    """Only the biases learn, from how often each class occurs."""
    from dae.core.networks import build_classifier, initial_weights
    from dae.core.seeds import derive

    initial = initial_weights(build_classifier(784, SETTINGS.units, SETTINGS.dropout), derive(5, "weights"))
    (found,) = train(order=[0], change=np.zeros_like)
    assert np.array_equal(found.weights[0], initial[0])
    assert not np.array_equal(found.weights[-1], initial[-1])
    assert np.isfinite(found.probabilities).all()


def test_an_encoder_that_is_given_stays_as_it_is(mnist, monkeypatch):
    """Many jobs start from the same arrays, here in the same process."""
    monkeypatch.setattr("dae.classifiers.workers", lambda n_jobs: lambda calls: (f(*args) for f, args, _ in calls))
    images, labels = mnist["train_images"][:50].reshape(50, -1), mnist["train_labels"][:50]
    rng = np.random.default_rng(0)
    encoder = [rng.normal(0, 0.05, (784, 32)).astype(np.float32), np.zeros(32, np.float32)]
    before = [array.copy() for array in encoder]
    (found,) = train_classifiers([(ClassifierJob(images, labels, images, encoder, seed=1), SETTINGS)], n_jobs=1)
    assert all(np.array_equal(a, b) for a, b in zip(encoder, before, strict=True))
    assert not np.array_equal(found.weights[0], encoder[0])


@pytest.mark.parametrize(("rescaled", "brightness"), [(True, 1), (False, 0.5)])
def test_the_network_sees_masked_images_as_bright_as_clean_ones_unless_told_otherwise(mnist, rescaled, brightness):
    """A network that tells the mean of its input: half of the pixels are masked."""
    from dae.classifiers import classification_loss
    from dae.core.backend import tf

    images, seen = mnist["train_images"][:200].reshape(200, -1), []

    def network(inputs, training):
        assert training
        seen.append(inputs.numpy())
        return tf.zeros((len(inputs), 10))

    loss = classification_loss(network, 0.5, augment=False, rescaled=rescaled)
    loss(tf.range(200), tf.constant([1, 2]), tf.constant(images), tf.constant(mnist["train_labels"][:200]))
    (inputs,) = seen
    assert inputs.mean() == pytest.approx(brightness * images.mean() / 255, rel=0.02)
    kept = inputs > 0
    assert kept.sum() == pytest.approx((images > 0).sum() / 2, rel=0.02)
    assert np.allclose(inputs[kept], images[kept] / 255 * 2 * brightness)


def test_rescaling_changes_what_is_learnt_only_where_pixels_are_masked(train):
    for masking in (0.0, 0.3):
        first, other = (
            train(settings=replace(SETTINGS, masking=masking, rescaled=r), order=[0]) for r in (True, False)
        )
        assert np.array_equal(first[0].weights[0], other[0].weights[0]) == (masking == 0)


def test_a_convolutional_network_with_moved_images_learns(train, mnist):
    settings = replace(
        SETTINGS, units=(4, 8, 16), steps=200, masking=0.0, dropout=0.0, convolutional=True, augment=True
    )
    first, again = train(settings=settings)[0], train(settings=settings)[0]
    assert np.array_equal(first.probabilities, again.probabilities)
    assert (first.probabilities.argmax(axis=1) == mnist["test_labels"][:1000]).mean() > 0.5


def test_a_class_that_the_draw_misses_is_no_error_and_is_never_recalled(mnist):
    rows = np.flatnonzero(mnist["train_labels"] != 9)[:200]
    images, test_images = mnist["train_images"][rows].reshape(200, -1), mnist["test_images"][:1000].reshape(1000, -1)
    job = ClassifierJob(images, mnist["train_labels"][rows], test_images, (), seed=1)
    (trained,) = train_classifiers([(job, SETTINGS)], n_jobs=1)
    recall = evaluate(trained.probabilities, mnist["test_labels"][:1000])
    assert recall["recall_9"] < 0.05
    assert recall["recall_1"] > 0.5
