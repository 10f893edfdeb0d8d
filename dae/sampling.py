"""Which training images carry a label."""

import numpy as np


def draw_labelled(labels: np.ndarray, n_labels: int, seed: int, stratified: bool) -> np.ndarray:
    """Draw images to be labelled, without replacement.

    Args:
        labels: uint8 array of shape (n,), classes 0 to 9.
        n_labels: how many to draw, at most n.
        seed: of the draw.
        stratified: draw n_labels / 10 of every class, and one more of n_labels % 10 classes chosen at random;
            else every image is as likely, and a class may be rare or missing when n_labels is small.

    Returns:
        Int32 array of shape (n_labels,), row numbers in random order.

    Raises:
        ValueError: there are fewer images, or fewer of a class, than are to be drawn.
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
