import numpy as np
import pytest

from dae.core.backend import tf
from dae.core.images import scale
from dae.ladder import Ladder, LadderJob, LadderSettings, combine, train_ladders
from dae.sampling import UNLABELLED

UNITS, COSTS = [32, 16], [10.0, 1.0, 0.1, 0.1]
SIZE = 200 * (784 + sum(UNITS) + 10)
NOISE, OTHER = (tf.random.stateless_normal((SIZE,), [seed, 2]) for seed in (1, 2))


def ladder(noise=0.3, costs=COSTS, seed=3):
    model = Ladder(784, UNITS, noise, costs)
    model.set_weights(model.initial_weights(seed))
    return model


def randomise(model, seed=5):
    """Weights of which none is 0 or 1."""
    rng = np.random.default_rng(seed)
    model.set_weights([w + 0.1 * rng.standard_normal(w.shape) for w in model.get_weights()])


@pytest.fixture
def images(mnist):
    return scale(mnist["train_images"][:200].reshape(200, -1))


def test_layers_have_the_shapes_of_the_network(images):
    model = ladder()
    logits, noisy = model.noisy_encoder(images, 50, NOISE)
    clean_logits, clean, moments = model.clean_encoder(images[50:])
    assert logits.shape == (200, 10)
    assert clean_logits.shape == (150, 10)
    assert [z.shape for z in noisy] == [z.shape for z in clean] == [(150, n) for n in (784, *UNITS, 10)]
    assert [mean.shape for mean, _ in moments] == [(n,) for n in (*UNITS, 10)]
    assert len(model.denoising_costs(logits[50:], noisy, clean, moments)) == 4


def test_clean_layers_are_normalised(images):
    model = ladder()
    randomise(model)
    for z in model.clean_encoder(images)[1][1:]:
        assert np.allclose(np.mean(z, axis=0), 0, atol=1e-4)
        assert np.allclose(np.std(z, axis=0), 1, atol=1e-2)


def test_labelled_and_unlabelled_images_are_normalised_apart(images):
    """Of a noisy encoder without noise, the unlabelled layers do not depend on the labelled images."""
    model = ladder(noise=0.0)
    alone = model.noisy_encoder(images[100:], 20, NOISE[: SIZE // 2])[1]
    other = model.noisy_encoder(tf.concat([1 - images[:60], images[120:]], axis=0), 60, NOISE[: 140 * SIZE // 200])[1]
    for one, two in zip(alone, other, strict=True):
        assert np.allclose(one, two, atol=1e-5)


def test_without_noise_the_noisy_encoder_is_the_clean_one(images):
    model = ladder(noise=0.0)
    randomise(model)
    logits, noisy = model.noisy_encoder(images, 50, NOISE)
    clean_logits, clean, _ = model.clean_encoder(images[50:])
    assert np.allclose(logits[50:], clean_logits, atol=1e-4)
    for one, two in zip(noisy, clean, strict=True):
        assert np.allclose(one, two, atol=1e-4)


def test_the_noise_has_the_size_asked_for(images):
    model = ladder(noise=0.3)
    noisy = model.noisy_encoder(images, 50, NOISE)[1]
    again = model.noisy_encoder(images, 50, NOISE)[1]
    other = model.noisy_encoder(images, 50, OTHER)[1]
    added = noisy[0] - images[50:]
    assert np.std(added) == pytest.approx(0.3, rel=0.02)
    assert np.mean(added) == pytest.approx(0, abs=0.01)
    assert np.std(noisy[1]) == pytest.approx(np.sqrt(1 + 0.3**2), rel=0.05)
    for one, two, three in zip(noisy, again, other, strict=True):
        assert np.array_equal(one, two)
        assert not np.array_equal(one, three)


def test_the_inference_pass_is_the_clean_pass(mnist, images):
    model = ladder()
    randomise(model)
    model.remember(mnist["train_images"][:200].reshape(200, -1))
    assert np.allclose(model(images), model.clean_encoder(images)[0], atol=1e-4)
    assert np.allclose(model(images[:3]), model.clean_encoder(images)[0][:3], atol=1e-4)


def test_the_combinator_is_the_papers():
    """Equation 2, in NumPy: (z - mu(u)) v(u) + mu(u), with mu and v each a sigmoid and a line."""
    rng = np.random.default_rng(1)
    z, u, a = rng.standard_normal((7, 4)), rng.standard_normal((7, 4)), rng.standard_normal((10, 4))

    def curve(a1, a2, a3, a4, a5):
        return a1 / (1 + np.exp(-(a2 * u + a3))) + a4 * u + a5

    mu, v = curve(*a[:5]), curve(*a[5:])
    assert np.allclose(combine(z, u, a), (z - mu) * v + mu)


def test_a_combinator_at_its_start_finds_nothing():
    model = ladder()
    start = model.a[1].numpy()
    z = np.random.default_rng(1).standard_normal((5, 32)).astype(np.float32)
    assert not np.any(combine(z, z[::-1], start))


def test_costs_are_the_papers(images):
    """Algorithm 1's decoder, once more in NumPy."""
    model = ladder()
    randomise(model)
    logits, noisy = model.noisy_encoder(images, 50, NOISE)
    _, clean, moments = model.clean_encoder(images[50:])
    found = model.denoising_costs(logits[50:], noisy, clean, moments)

    def norm(x):
        return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-6)

    expected, above = [], np.exp(logits[50:]) / np.exp(logits[50:]).sum(axis=1, keepdims=True)
    for layer in (3, 2, 1, 0):
        u = norm(above @ model.V[layer].numpy()) if layer < 3 else norm(above)
        above = np.array(combine(noisy[layer].numpy(), u.astype(np.float32), model.a[layer].numpy()))
        estimate = above
        if layer:
            mean, variance = (s.numpy() for s in moments[layer - 1])
            estimate = (above - mean) / np.sqrt(variance + 1e-6)
        expected.append(COSTS[layer] * np.mean((estimate - clean[layer].numpy()) ** 2))
    assert np.allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("layer", range(4))
def test_a_gradient_step_lowers_each_cost(layer, images):
    costs = [0.0] * 4
    costs[layer] = 1.0
    model = ladder(costs=costs)
    randomise(model)
    variables = [variable.value for variable in model.trainable_variables]

    def cost():
        logits, noisy = model.noisy_encoder(images, 50, NOISE)
        _, clean, moments = model.clean_encoder(images[50:])
        (found,) = model.denoising_costs(logits[50:], noisy, clean, moments)
        return found

    with tf.GradientTape() as tape:
        before = cost()
    gradients = tape.gradient(before, variables)
    size = sum(float(tf.reduce_sum(g**2)) for g in gradients if g is not None)
    for variable, gradient in zip(variables, gradients, strict=True):
        if gradient is not None:
            variable.assign_sub(1e-3 / size * gradient)
    after = cost()
    assert after < before
    assert float(before - after) == pytest.approx(1e-3, rel=0.3)  # as the gradient promises


def test_there_is_no_decoder_below_the_lowest_cost():
    gamma = ladder(costs=[0.0, 0.0, 0.0, 1.0])
    assert (set(gamma.V), set(gamma.a)) == (set(), {3})
    assert (set(ladder().V), set(ladder().a)) == ({0, 1, 2}, {0, 1, 2, 3})


def test_unlabelled_images_help(mnist):
    """100 labels: far better than the same network without the denoising; and the same bytes again."""
    images, truths = mnist["train_images"][:5000].reshape(-1, 784), mnist["train_labels"]
    labels = np.full(len(images), UNLABELLED, np.uint8)
    labels[:100] = truths[:100]
    test, test_labels = mnist["test_images"].reshape(-1, 784), mnist["test_labels"]
    job = LadderJob(images, labels, test, seed=3)

    def accuracy(costs, epochs=8, products="float32"):
        settings = LadderSettings((200, 100), 0.3, costs, 100, 100, epochs, 0.003, products)
        (found,) = train_ladders([job], settings, 1)
        return np.mean(found.probabilities.argmax(axis=1) == test_labels), found.probabilities

    with_costs, probabilities = accuracy((1000.0, 10.0, 0.1, 0.1))
    without, _ = accuracy((0.0, 0.0, 0.0, 1e-9))
    assert with_costs > without + 0.03
    one, other = (accuracy((1000.0, 10.0, 0.1, 0.1), epochs=1)[1] for _ in range(2))
    assert np.array_equal(one, other)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    rounded, _ = accuracy((1000.0, 10.0, 0.1, 0.1), products="bfloat16")
    assert rounded > without + 0.03
