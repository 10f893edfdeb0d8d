"""PyTorch eager, in its best simple form: the data in one tensor, batches by index, the fused Adam."""

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from benchmarks.contenders.common import he_normal, labels, limit_of, scaled
from benchmarks.tasks import PIXELS, Answer, Limit, Pretraining, Replicates, autoencoder_widths, classifier_widths


def pretrain(task: Pretraining) -> Answer:
    """Train one dAE after the other, on two threads."""
    torch.set_num_threads(2)
    widths, steps = autoencoder_widths(task.units), task.epochs * -(-task.n // task.batch_size)
    x = torch.from_numpy(scaled("train", task.n))
    networks = [_network(widths, 0.0, he_normal(widths, seed)) for seed in range(task.models)]
    corrupt = {"masking": _masking, "gaussian": _gaussian}[task.corruption](task.noise)
    start = time.perf_counter()
    for network in networks:
        loss = _train(network, x, x, binary_cross_entropy_with_logits, task, steps, corrupt)
    return {"seconds": time.perf_counter() - start, "loss": loss}


def replicates(task: Replicates) -> Answer:
    """Train one classifier after the other, on one thread, which is faster than two at this size."""
    torch.set_num_threads(1)
    widths, encoder = classifier_widths(task.units), he_normal([PIXELS, *task.units], 2)
    x, test = torch.from_numpy(scaled("train", task.n_labels)), torch.from_numpy(scaled("test", task.n_test))
    y, truth = torch.from_numpy(labels("train", task.n_labels).astype(np.int64)), labels("test", task.n_test)
    accuracies, start = [], time.perf_counter()
    for seed in range(task.pairs):
        for arm in (encoder, []):
            model = _network(widths, task.dropout, arm + he_normal(widths, seed)[len(arm) :])
            _train(model, x, y, cross_entropy, task, task.steps, _masking(task.masking))
            model.eval()
            with torch.no_grad():
                accuracies.append((model(test).argmax(dim=1).numpy() == truth).mean())
    return {"seconds": time.perf_counter() - start, "accuracy": float(np.mean(accuracies))}


def limit(task: Limit) -> Answer:
    """Multiply on two threads."""
    torch.set_num_threads(2)
    return limit_of(task, torch.rand)


def _network(widths: list[int], dropout: float, weights: list[np.ndarray]) -> nn.Sequential:
    layers = []
    for (a, b), kernel, bias in zip(pairwise(widths), weights[::2], weights[1::2], strict=True):
        layers += [nn.ReLU(), nn.Dropout(dropout), nn.Linear(a, b)]
        with torch.no_grad():
            layers[-1].weight.copy_(torch.from_numpy(kernel.T))
            layers[-1].bias.copy_(torch.from_numpy(bias))
    return nn.Sequential(*[layer for layer in layers[2:] if dropout or not isinstance(layer, nn.Dropout)])


def _masking(noise: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda images: images * (torch.rand_like(images) >= noise) / (1 - noise)


def _gaussian(noise: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda images: (images + noise * torch.randn_like(images)).clamp_(0, 1)


def _train(
    model: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    task: Pretraining | Replicates,
    steps: int,
    corrupt: Callable[[torch.Tensor], torch.Tensor],
) -> float:
    """Train, and return the mean loss over the last epoch."""
    adam = torch.optim.Adam(model.parameters(), lr=task.learning_rate, fused=True)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    total, rest = torch.zeros(()), torch.empty(0, dtype=torch.int64)
    for step in range(steps):
        if not len(rest):
            rest, total = torch.randperm(len(x)), torch.zeros(())
            first = step
        rows, rest = rest[: task.batch_size], rest[task.batch_size :]
        clean = x[rows]
        adam.zero_grad()
        loss = loss_of(model(corrupt(clean)), clean if target is x else target[rows])  # gathering once is faster
        loss.backward()
        adam.step()
        cosine.step()
        total += loss.detach()
    return float(total) / (steps - first)
