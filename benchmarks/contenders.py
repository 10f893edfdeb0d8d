"""The same work by three contenders: our training code, Keras as its tutorials have it, PyTorch eager.

`python -m benchmarks.contenders NAME` reads tasks from standard input, one a line: JSON with the name of a method and
its arguments. It answers each with a line of JSON: what the method returns, and `peak_mib`, the peak memory of the
process and of those that it started, added up.
"""

import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil

RAW = Path(os.environ.get("BENCH_DATA", "data/raw"))


def images(part: str, n: int) -> np.ndarray:
    """The first n images of `train` or `test`, uint8 of shape (n, pixels)."""
    return np.load(RAW / f"{part}_images.npy")[:n].reshape(n, -1)


def labels(part: str, n: int) -> np.ndarray:
    return np.load(RAW / f"{part}_labels.npy")[:n]


def he_normal(sizes: list[int], seed: int) -> list[np.ndarray]:
    """Kernels, normal with variance 2 / fan-in, and biases 0, in turn, of dense layers between layers of `sizes`."""
    rng = np.random.default_rng(seed)
    kernels = [rng.normal(0.0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in pairwise(sizes)]
    return [array for kernel in kernels for array in (kernel, np.zeros(kernel.shape[1], np.float32))]


def mirrored(units: list[int]) -> list[int]:
    return [784, *units, *units[-2::-1], 784]


def products(sizes: list[int], batch_size: int) -> list[tuple[int, int, int]]:
    """Shapes (m, k, n), m x k times k x n, of the matrix products of a training step of layers of those sizes."""
    layers = list(pairwise(sizes))
    forward = [(batch_size, a, b) for a, b in layers]
    kernels = [(a, batch_size, b) for a, b in layers]
    inputs = [(batch_size, b, a) for a, b in layers[1:]]  # the images need no gradient
    return forward + kernels + inputs


def rate(multiply, matrices: list[tuple], seconds: float) -> float:
    """Floating-point operations a second of matrix products, over at least `seconds` after one round to warm up."""
    flops = sum(2 * a.shape[0] * a.shape[1] * b.shape[1] for a, b in matrices)
    for a, b in matrices:
        multiply(a, b)
    start, rounds = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for a, b in matrices:
            multiply(a, b)
        rounds += 1
    return rounds * flops / (time.perf_counter() - start)


class Contender:
    """What is asked of each; every method returns `seconds`, and what shows that the work was the same.

    The dAEs: 784 - units - mirrored - 784, binary cross-entropy, Adam along a cosine. The classifiers:
    784 - units - 10, masking and dropout, cross-entropy, the same optimiser; a pair is one of each arm, from an encoder
    and from random weights, with predictions of the test images.
    """

    def pretrain(self, units, n, batch_size, epochs, learning_rate, corruption, noise, models) -> dict:
        """Train dAEs from random weights; `loss` is the mean over the last epoch of the last."""
        raise NotImplementedError

    def replicates(
        self, units, n_labels, batch_size, steps, learning_rate, masking, dropout, pairs, n_test, n_jobs
    ) -> dict:
        """Pairs of classifiers; `accuracy` is the mean on the test images; `n_jobs` processes are for ours alone."""
        raise NotImplementedError

    def limit(self, units, batch_size, size, seconds) -> dict:
        """Rates of float32 matrix products: `large` of square ones of that size, `shapes` of the dAE's own."""
        shapes = {"large": [(size,) * 3], "shapes": products(mirrored(units), batch_size)}
        matrices = {k: [(self.matrix(m, n), self.matrix(n, p)) for m, n, p in v] for k, v in shapes.items()}
        return {name: rate(self.multiply, pairs, seconds) for name, pairs in matrices.items()}


class Ours(Contender):
    """The project's own code, as the stages call it."""

    def __init__(self):
        self.trainers = {}

    def pretrain(self, units, n, batch_size, epochs, learning_rate, corruption, noise, models):
        from dae.networks import build_autoencoder
        from dae.training import Trainer, set_up_tensorflow, train_autoencoders

        key = (*units, corruption, noise, models)
        if key not in self.trainers:
            set_up_tensorflow(at_once=2)
            self.trainers[key] = [Trainer(build_autoencoder(784, units), corruption, noise) for _ in range(models)]
        data, losses = images("train", n), {}
        start = time.perf_counter()
        train_autoencoders(
            self.trainers[key],
            data,
            seeds=range(models),
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            on_epoch=lambda number, epoch, loss: losses.update({number: loss}),
        )
        return {"seconds": time.perf_counter() - start, "loss": losses[models - 1]}

    def replicates(self, units, n_labels, batch_size, steps, learning_rate, masking, dropout, pairs, n_test, n_jobs):
        from dae.replicates import Recipe, Replicate, train_replicates

        recipe = Recipe(tuple(units), dropout, masking, batch_size, steps, learning_rate)
        x, y, test = images("train", n_labels), labels("train", n_labels), images("test", n_test)
        encoder = he_normal([784, *units], 2)
        start = time.perf_counter()
        todo = (Replicate(x, y, test, arm, seed) for seed in range(pairs) for arm in (encoder, ()))
        predicted = [t.probabilities.argmax(axis=1) for t in train_replicates(todo, recipe, n_jobs)]
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "accuracy": float(np.mean(np.stack(predicted) == labels("test", n_test)))}

    def parts(self, units, n, batch_size, steps, noise, dropout, classify) -> dict:
        """Milliseconds a step of what a training step does, each measured alone in a compiled loop of that many steps.

        `gradients` are of the network with its loss, forwards and backwards; `products` the matrix products in it.
        """
        from dae.backend import tf
        from dae.corruption import corrupt
        from dae.networks import build_autoencoder, build_classifier
        from dae.training import Trainer, batches, classification_loss, reconstruction_loss, scale, set_up_tensorflow

        set_up_tensorflow()
        model = build_classifier(784, units, dropout) if classify else build_autoencoder(784, units)
        trainer, order = Trainer(model, "masking", noise), tf.constant(batches(n, batch_size, steps, 1))
        data, truth = tf.constant(images("train", n)), tf.constant(labels("train", n).astype(np.int32))
        batch, classes = scale(data[:batch_size]), truth[:batch_size]
        sizes = [784, *units, 10] if classify else mirrored(units)
        shapes = products(sizes, batch_size)
        matrices = [(self.matrix(m, k), self.matrix(k, n)) for m, k, n in shapes]
        constant = [tf.ones_like(variable) for variable in trainer.variables]

        def gradients(i):
            with tf.GradientTape() as tape:
                logits = model(batch, training=True)
                loss = classification_loss(logits, classes) if classify else reconstruction_loss(logits, batch)
            return [tf.reduce_sum(g[:1]) for g in tape.gradient(loss, trainer.variables)]

        def adam(i):
            trainer._update(constant, 1e-6, tf.cast(i + 1, tf.float32))
            return [0.0]

        kinds = {
            "rows, scaled": lambda i: [scale(tf.gather(data, order[i]))[0, 0]],
            "corruption": lambda i: [corrupt(batch, "masking", noise, tf.stack([1, i]))[0, 0]],
            "gradients": gradients,
            "Adam": adam,
        }
        found = {}
        for name, work in kinds.items():

            @tf.function
            def loop(work=work):
                total = 0.0
                for i in tf.range(steps):
                    total += tf.add_n(work(i))
                return total

            loop()
            start = time.perf_counter()
            loop()
            found[name] = 1e3 * (time.perf_counter() - start) / steps
        found["products"] = 1e3 * sum(2 * m * k * n for m, k, n in shapes) / rate(self.multiply, matrices, 0.5)
        fit = {"weights": model.get_weights(), "batch_size": batch_size, "steps": steps, "learning_rate": 1e-3}
        for _ in range(2):
            start = time.perf_counter()
            trainer.fit(images("train", n), labels("train", n) if classify else None, **fit, seed=1, log_every=steps)
            found["whole"] = 1e3 * (time.perf_counter() - start) / steps
        return found

    def matrix(self, rows, columns):
        from dae.backend import tf

        return tf.random.stateless_uniform((rows, columns), (1, 2))

    def multiply(self, a, b):
        from dae.backend import tf

        return tf.matmul(a, b)


class Tutorial(Contender):
    """Keras as its tutorials have it: arrays of float32, a layer for the noise, compile, fit, predict."""

    def __init__(self):
        from dae.backend import keras

        class Masking(keras.layers.Layer):
            def __init__(self, noise):
                super().__init__()
                self.noise, self.seeds = noise, keras.random.SeedGenerator(1)

            def call(self, inputs, training=False):
                if not training:
                    return inputs
                drawn = keras.random.uniform(keras.ops.shape(inputs), seed=self.seeds)
                return keras.ops.where(drawn < self.noise, 0.0, inputs)

        self.keras, self.masking = keras, Masking

    def adam(self, learning_rate, steps):
        return self.keras.optimizers.Adam(self.keras.optimizers.schedules.CosineDecay(learning_rate, steps))

    def dense(self, width, activation="relu"):
        return self.keras.layers.Dense(width, activation, kernel_initializer="he_normal")

    def pretrain(self, units, n, batch_size, epochs, learning_rate, corruption, noise, models):
        data = images("train", n).astype(np.float32) / 255
        widths, seconds = mirrored(units)[1:], 0.0
        for _ in range(models):
            hidden = [self.dense(width) for width in widths[:-1]]
            layer = {"masking": self.masking, "gaussian": self.keras.layers.GaussianNoise}[corruption](noise)
            model = self.keras.Sequential([self.keras.Input((784,)), layer, *hidden, self.dense(784, "sigmoid")])
            model.compile(self.adam(learning_rate, epochs * -(-n // batch_size)), "binary_crossentropy")
            both = data[: batch_size + n % batch_size]  # compiles, for whole batches and for the last one
            model.fit(both, both, batch_size=batch_size, verbose=0)
            start = time.perf_counter()
            history = model.fit(data, data, batch_size=batch_size, epochs=epochs, verbose=0)
            seconds += time.perf_counter() - start
        self.keras.backend.clear_session()
        return {"seconds": seconds, "loss": history.history["loss"][-1]}

    def replicates(self, units, n_labels, batch_size, steps, learning_rate, masking, dropout, pairs, n_test, n_jobs):
        keras, encoder = self.keras, he_normal([784, *units], 2)
        x, y = images("train", n_labels).astype(np.float32) / 255, labels("train", n_labels)
        test, truth = images("test", n_test).astype(np.float32) / 255, labels("test", n_test)
        accuracies, start = [], time.perf_counter()
        for _ in range(pairs):
            for arm in (encoder, []):
                hidden = [layer for width in units for layer in (self.dense(width), keras.layers.Dropout(dropout))]
                output = keras.layers.Dense(10, "softmax", kernel_initializer="he_normal")
                model = keras.Sequential([keras.Input((784,)), self.masking(masking), *hidden, output])
                for layer, kernel, bias in zip(hidden[::2], arm[::2], arm[1::2], strict=False):
                    layer.set_weights([kernel, bias])
                model.compile(self.adam(learning_rate, steps), "sparse_categorical_crossentropy")
                model.fit(x, y, batch_size=batch_size, epochs=steps * batch_size // n_labels, verbose=0)
                accuracies.append((model.predict(test, batch_size=1000, verbose=0).argmax(axis=1) == truth).mean())
        seconds = time.perf_counter() - start
        keras.backend.clear_session()
        return {"seconds": seconds, "accuracy": float(np.mean(accuracies))}

    matrix, multiply = Ours.matrix, Ours.multiply


class Torch(Contender):
    """PyTorch eager, in its best simple form: the data in one tensor, batches by index, the fused Adam."""

    def __init__(self):
        import torch

        self.torch = torch

    def network(self, sizes, dropout, weights):
        nn, layers = self.torch.nn, []
        for (a, b), kernel, bias in zip(pairwise(sizes), weights[::2], weights[1::2], strict=True):
            layers += [nn.ReLU(), nn.Dropout(dropout), nn.Linear(a, b)]
            with self.torch.no_grad():
                layers[-1].weight.copy_(self.torch.from_numpy(kernel.T))
                layers[-1].bias.copy_(self.torch.from_numpy(bias))
        return nn.Sequential(*[layer for layer in layers[2:] if dropout or not isinstance(layer, nn.Dropout)])

    def masking(self, noise):
        return lambda images: images * (self.torch.rand_like(images) >= noise)

    def gaussian(self, noise):
        return lambda images: (images + noise * self.torch.randn_like(images)).clamp_(0, 1)

    def train(self, model, x, target, loss_of, batch_size, steps, learning_rate, corrupt):
        """Train, and return the mean loss over the last epoch."""
        torch = self.torch
        adam = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
        total, rest = torch.zeros(()), torch.empty(0, dtype=torch.int64)
        for step in range(steps):
            if not len(rest):
                rest, total = torch.randperm(len(x)), torch.zeros(())
                first = step
            rows, rest = rest[:batch_size], rest[batch_size:]
            clean = x[rows]
            adam.zero_grad()
            loss = loss_of(model(corrupt(clean)), clean if target is None else target[rows])
            loss.backward()
            adam.step()
            cosine.step()
            total += loss.detach()
        return float(total) / (steps - first)

    def pretrain(self, units, n, batch_size, epochs, learning_rate, corruption, noise, models):
        torch, sizes = self.torch, mirrored(units)
        torch.set_num_threads(2)
        x = torch.from_numpy(images("train", n)).float() / 255
        networks = [self.network(sizes, 0.0, he_normal(sizes, seed)) for seed in range(models)]
        loss_of = torch.nn.functional.binary_cross_entropy_with_logits
        corrupt = {"masking": self.masking, "gaussian": self.gaussian}[corruption](noise)
        start = time.perf_counter()
        for model in networks:
            loss = self.train(model, x, None, loss_of, batch_size, epochs * -(-n // batch_size), learning_rate, corrupt)
        return {"seconds": time.perf_counter() - start, "loss": loss}

    def replicates(self, units, n_labels, batch_size, steps, learning_rate, masking, dropout, pairs, n_test, n_jobs):
        torch, sizes = self.torch, [784, *units, 10]
        torch.set_num_threads(1)  # faster than two, at this size
        encoder = he_normal([784, *units], 2)
        x, y = torch.from_numpy(images("train", n_labels)).float() / 255, labels("train", n_labels).astype(np.int64)
        test, truth = torch.from_numpy(images("test", n_test)).float() / 255, labels("test", n_test)
        y, accuracies, start = torch.from_numpy(y), [], time.perf_counter()
        for seed in range(pairs):
            for arm in (encoder, []):
                weights = arm + he_normal(sizes, seed)[len(arm) :]
                model = self.network(sizes, dropout, weights)
                loss_of = torch.nn.functional.cross_entropy
                self.train(model, x, y, loss_of, batch_size, steps, learning_rate, self.masking(masking))
                model.eval()
                with torch.no_grad():
                    accuracies.append((model(test).argmax(dim=1).numpy() == truth).mean())
        return {"seconds": time.perf_counter() - start, "accuracy": float(np.mean(accuracies))}

    def matrix(self, rows, columns):
        self.torch.set_num_threads(2)
        return self.torch.rand(rows, columns)

    def multiply(self, a, b):
        return a @ b


CONTENDERS = {"ours": Ours, "keras": Tutorial, "torch": Torch}


def peak_mib() -> float:
    """Peak resident memory of this process and of those that it started, added up, in MiB; Linux alone tells it."""
    total = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        status = Path(f"/proc/{process.pid}/status").read_text()
        total += int(status.split("VmHWM:")[1].split()[0])
    return total / 1024


def serve(name: str) -> None:
    contender = CONTENDERS[name]()
    for line in sys.stdin:
        arguments = json.loads(line)
        answer = getattr(contender, arguments.pop("task"))(**arguments)
        print(json.dumps(answer | {"peak_mib": peak_mib()}), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
