"""Draws the training images that carry a label."""

import numpy as np


def draw_labelled(labels: np.ndarray, n_labels: int, seed: int, stratified: bool) -> np.ndarray:
    """Draw images to be labelled, without replacement.

    Args:
        labels: uint8 array of shape (n,), classes 0 to 9.
        n_labels: number of images to draw, at most n.
        seed: for the draw.
        stratified: if true, draw n_labels // 10 images of every class, and one more of n_labels % 10 classes chosen at
            random. Else all images are equally likely, and a class may be rare or missing if n_labels is small.

    Returns:
        Row numbers in random order, int32 array of shape (n_labels,).

    Raises:
        ValueError: there are not enough images, or not enough of a class.
    """
    rng = np.random.default_rng(seed)
    if not stratified:
        return rng.choice(len(labels), n_labels, replace=False).astype(np.int32)
    classes = rng.permutation(10)
    counts = n_labels // 10 + (np.arange(10) < n_labels % 10)
    rows = [
        rng.choice(np.flatnonzero(labels == c), count, replace=False) for c, count in zip(classes, counts, strict=True)
    ]
    return rng.permutation(np.concatenate(rows)).astype(np.int32)
