"""Draws the training images that carry a label."""

import numpy as np

UNLABELLED = 255  # the label of images without one


def count_classes(labels: np.ndarray) -> int:
    """The number of classes; those of labelled images are 0, 1, ... without a gap."""
    return int(labels[labels != UNLABELLED].max()) + 1


def examples(labels: np.ndarray, count: int) -> np.ndarray:
    """Row numbers of at most `count` labelled images: the first of each class, then the second of each, and so on."""
    turns = np.empty(len(labels), int)
    for c in np.unique(labels):
        turns[labels == c] = np.arange((labels == c).sum())
    order = np.lexsort((labels, turns))
    return order[labels[order] != UNLABELLED][:count]


def draw_labelled(labels: np.ndarray, n_labels: int, seed: int, stratified: bool) -> np.ndarray:
    """Draw images to be labelled, without replacement.

    Args:
        labels: uint8 array of shape (n,), classes from 0, or `UNLABELLED`.
        n_labels: number of images to draw, at most those with a label.
        seed: for the draw.
        stratified: if true, draw equally many images of every class, but for one more of some classes, chosen at
            random, where the number of classes does not divide n_labels. Else all images are equally likely, and a
            class may be rare or missing if n_labels is small. If there are only n_labels, all are drawn.

    Returns:
        Row numbers in random order, int32 array of shape (n_labels,).

    Raises:
        ValueError: there are not enough images, or not enough of a class.
    """
    rng = np.random.default_rng(seed)
    labelled = np.flatnonzero(labels != UNLABELLED)
    if not stratified or n_labels == len(labelled):
        return rng.choice(labelled, n_labels, replace=False).astype(np.int32)
    n_classes = count_classes(labels)
    classes = rng.permutation(n_classes)
    counts = n_labels // n_classes + (np.arange(n_classes) < n_labels % n_classes)
    rows = [
        rng.choice(np.flatnonzero(labels == c), count, replace=False) for c, count in zip(classes, counts, strict=True)
    ]
    return rng.permutation(np.concatenate(rows)).astype(np.int32)
