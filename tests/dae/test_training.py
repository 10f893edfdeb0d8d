from dataclasses import replace

import numpy as np
import pytest

from dae.classifiers import classification_loss
from dae.core.backend import keras, tf
from dae.core.images import corrupt, scale
from dae.core.networks import build_autoencoder, build_classifier, initial_weights
from dae.core.seeds import derive
from dae.core.training import Trainer, batches, cosine_schedule, predict, set_up_tensorflow
from dae.denoising import DaeJob, DaeSettings, corrupt_and_denoise, denoising_loss, train_daes


def test_batches_go_through_all_rows_again_and_again():
    order = batches(n=10, batch_size=4, steps=5, seed=1)
    assert order.shape == (5, 4)
    assert sorted(order.ravel()[:10]) == sorted(order.ravel()[10:]) == list(range(10))
    assert not np.array_equal(order.ravel()[:10], order.ravel()[10:])


def test_a_batch_may_be_larger_than_the_data():
    assert np.bincount(batches(n=3, batch_size=6, steps=2, seed=1).ravel()).tolist() == [4, 4, 4]


def test_the_schedule_falls_from_the_rate_towards_zero():
    rates = cosine_schedule(0.1, 100)
    assert rates[0] == np.float32(0.1)
    assert (np.diff(rates) < 0).all()
    assert 0 < rates[-1] < 1e-4


def test_training_takes_the_steps_that_kerass_adam_takes(mnist):
    """The loop against Keras's own optimiser, schedule and loss, fed with the same batches."""
    images, labels = mnist["train_images"][:60].reshape(60, -1), mnist["train_labels"][:60]
    steps, batch_size, rate, seed = 6, 20, 0.003, 11
    model = build_classifier(784, [16], dropout=0)
    weights = initial_weights(model, 5)
    arguments = {"batch_size": batch_size, "steps": steps, "learning_rate": rate, "seed": seed, "log_every": steps}
    Trainer(model, classification_loss(model, 0.0, False)).fit(images, labels, weights=weights, **arguments)

    reference = build_classifier(784, [16], dropout=0)
    reference.set_weights(weights)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))
    reference.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for rows in batches(60, batch_size, steps, derive(seed, "batches")):
        reference.train_on_batch(images[rows] / np.float32(255), labels[rows])
    for ours, theirs in zip(model.get_weights(), reference.get_weights(), strict=True):
        assert np.allclose(ours, theirs, atol=2e-5)
    assert not np.allclose(weights[0], model.get_weights()[0], atol=1e-3)


@pytest.fixture(scope="module")
def autoencoder_trainer():
    model = build_autoencoder(784, [128, 64])
    return Trainer(model, denoising_loss(model, "masking", 0.5))


def fit_autoencoder(trainer, mnist, seed, steps=60):
    images = mnist["train_images"][:2000].reshape(2000, -1)
    weights = initial_weights(trainer.model, 1)
    options = {"batch_size": 100, "steps": steps, "learning_rate": 0.003, "log_every": 20}
    history = trainer.fit(images, weights=weights, seed=seed, **options)
    return history, trainer.model.get_weights()


def test_the_same_seed_gives_the_same_weights_to_the_byte(autoencoder_trainer, mnist):
    first = fit_autoencoder(autoencoder_trainer, mnist, seed=1)
    other = fit_autoencoder(autoencoder_trainer, mnist, seed=2)
    again = fit_autoencoder(autoencoder_trainer, mnist, seed=1)
    assert first[0] == again[0]
    assert all(np.array_equal(a, b) for a, b in zip(first[1], again[1], strict=True))
    assert not np.array_equal(first[1][0], other[1][0])


def test_daes_side_by_side_are_those_that_each_would_be_alone(mnist):
    images = mnist["train_images"][:500].reshape(500, -1)
    settings = DaeSettings((32, 16), "masking", 0.5, tied=False, epochs=3, batch_size=100, learning_rate=0.003)
    epochs = []
    jobs = [(DaeJob(images, seed), settings) for seed in (5, 6, 5)]
    first, second, third = train_daes(jobs, on_epoch=lambda *found: epochs.append(found))
    (alone,) = train_daes(jobs[1:2])
    assert sorted(found[:2] for found in epochs) == [(number, epoch) for number in range(3) for epoch in (1, 2, 3)]
    assert {held_out for *_, held_out in epochs} == {None}
    for one, other in zip(alone.model.get_weights(), second.model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert [array.shape for array in second.encoder] == [(784, 32), (32,), (32, 16), (16,)]
    assert np.array_equal(second.encoder[2], second.model.get_weights()[2])
    assert np.array_equal(first.encoder[0], third.encoder[0])
    assert not np.array_equal(first.encoder[0], second.encoder[0])


def test_each_dae_has_its_own_images_and_settings(mnist):
    """Side by side, with other widths, noise, numbers of epochs, and sizes of the batch and of the training set."""
    images = mnist["train_images"][:500].reshape(500, -1)
    plain = DaeSettings((32, 16), "masking", 0.5, tied=False, epochs=2, batch_size=100, learning_rate=0.003)
    kinds = [plain, replace(plain, units=(20,), epochs=3, batch_size=60), replace(plain, corruption="gaussian")]
    jobs = [(DaeJob(images[:n], 5), kind) for n, kind in zip((500, 290, 500), kinds, strict=True)]
    epochs = []
    together = train_daes(jobs, on_epoch=lambda *found: epochs.append(found[:2]))
    assert sorted(epochs) == [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    assert [len(result.encoder) for result in together] == [4, 2, 4]
    assert not np.array_equal(together[0].encoder[0], together[2].encoder[0])
    for job, result in zip(jobs, together, strict=True):
        (alone,) = train_daes([job])
        for one, other in zip(alone.model.get_weights(), result.model.get_weights(), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("rescaled", [True, False])
def test_the_loss_on_images_held_out_is_that_of_the_dae_after_each_epoch(mnist, rescaled):
    images, held_out = mnist["train_images"][:1000].reshape(1000, -1), mnist["test_images"][:300].reshape(300, -1)
    settings = DaeSettings((64, 16), "masking", 0.5, False, 4, 100, 0.003, rescaled=rescaled)
    job, epochs = (DaeJob(images, 5), settings), []
    (watched,) = train_daes([job], on_epoch=lambda *found: epochs.append(found), held_out=held_out)
    (plain,) = train_daes([job])
    assert all(np.array_equal(*pair) for pair in zip(plain.encoder, watched.encoder, strict=True))  # it changes nothing
    losses = [loss for *_, loss in epochs]
    assert losses == sorted(losses, reverse=True)

    clean, seed = held_out / np.float32(255), tf.constant([derive(5, "held out"), 0])
    masked = np.where(corrupt(tf.ones(clean.shape), "masking", 0.5, seed).numpy() == 0, 0, clean)
    denoised = tf.sigmoid(watched.model(masked * (2 if rescaled else 1))).numpy().astype(np.float64)
    entropy = -np.mean(clean * np.log(denoised) + (1 - clean) * np.log(1 - denoised))
    assert losses[-1] == pytest.approx(entropy, rel=1e-4)


@pytest.mark.parametrize("noise", [0.75, 0.0])
def test_a_dae_denoises_images_as_bright_as_those_that_it_learnt_from(noise):
    """A network that gives its input back, as logits."""
    images = np.random.default_rng(0).random((300, 784), np.float32)
    for given in (images, tf.constant(images)):
        found = corrupt_and_denoise(lambda batch, training: batch, given, "masking", noise, (3, 4))
        assert set(np.unique(found["noisy"] / images).round(3)) == ({0, 1} if noise else {1})
        assert (found["noisy"] == 0).mean() == pytest.approx(noise, abs=0.01)
        logits = np.log(found["denoised"] / (1 - found["denoised"].astype(np.float64)))
        assert logits == pytest.approx(found["noisy"] / (1 - noise), abs=1e-4)


def test_a_loss_gets_its_rows_a_new_seed_each_step_and_what_was_prepared():
    """A model of one number, whose loss is told what it is called with: rows, seeds, and the data prepared."""
    set_up_tensorflow()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    seen = []

    def prepare(seed, batch_size, data):
        return data, tf.cast(seed[1] + 100 * batch_size, tf.float32)

    def loss(rows, seed, data, prepared):
        tf.py_function(
            lambda *found: seen.append([value.numpy().tolist() for value in found]), [rows, seed, prepared], []
        )
        return tf.reduce_mean(tf.gather(data, rows)) + 0 * tf.reduce_sum(model.trainable_variables[0])

    data = np.arange(6, dtype=np.float32)
    history = Trainer(model, loss, prepare).fit(
        data, weights=[np.ones((1, 1))], batch_size=2, steps=5, learning_rate=0.1, seed=3, log_every=3
    )
    order = batches(6, 2, 5, derive(3, "batches"))
    assert [rows for rows, _, _ in seen] == order.tolist()
    assert [seed for _, seed, _ in seen] == [[derive(3, "corruption"), step] for step in range(5)]
    assert [prepared for _, _, prepared in seen] == [200, 200, 200, 203, 203]  # once an entry of the history
    assert history == [(3, pytest.approx(data[order[:3]].mean())), (5, pytest.approx(data[order[3:]].mean()))]


def test_the_autoencoder_learns_to_denoise(autoencoder_trainer, mnist):
    history, _ = fit_autoencoder(autoencoder_trainer, mnist, seed=1, steps=300)
    assert [step for step, _ in history] == list(range(20, 301, 20))
    assert history[-1][1] < 0.2 < history[0][1]
    clean = scale(mnist["test_images"][:500].reshape(500, -1))
    noisy = tf.where(tf.random.stateless_uniform(clean.shape, [1, 2]) < 0.5, 0.0, clean)
    denoised = tf.sigmoid(predict(autoencoder_trainer.model, 2 * noisy))  # as bright as those it was trained on
    assert np.square(denoised - clean).mean() < 0.7 * np.square(noisy - clean).mean()


def test_dropout_is_drawn_from_the_seed(mnist):
    images, labels = mnist["train_images"][:100].reshape(100, -1), mnist["train_labels"][:100]
    model = build_classifier(784, [32], dropout=0.5)
    trainer = Trainer(model, classification_loss(model, 0.0, False))
    weights = initial_weights(trainer.model, 1)
    options = {"batch_size": 50, "steps": 20, "learning_rate": 0.001, "log_every": 20, "weights": weights}
    runs = [trainer.fit(images, labels, seed=seed, **options) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
