from itertools import pairwise

import numpy as np

from reporting.demo.page import page
from stages.common.params import load_params
from stages.demo import LIKED, SETS, rounded


def test_the_page_of_the_real_networks_has_at_most_5_megabytes(root):
    """With images of random pixels, which take more space than digits do."""
    params, rng = load_params(root / "params.yaml"), np.random.default_rng(0)
    units, n_images = params.network.units, 1500

    def layers(*widths):
        shapes = [shape for pair in pairwise(widths) for shape in (pair, pair[1:])]
        return rounded([rng.normal(size=shape).astype(np.float32) for shape in shapes])

    networks = {"dae": layers(784, *units, *units[-2::-1], 784)}
    networks |= {arm: layers(784, *units, 10) for arm in ("with", "without")}
    images = np.zeros((n_images, 28, 28), np.uint8)
    images[:, 4:24, 7:21] = rng.integers(0, 256, (n_images, 20, 14))
    text = page(
        networks,
        images,
        classes=rng.integers(0, 10, n_images),
        names=params.classes,
        choices=rng.integers(0, n_images, (SETS, 10)),
        liked=rng.integers(0, n_images, (units[-1], LIKED)),
        strongest=rng.random(units[-1]),
        noise=(params.corruption, params.noise),
        preparation={},
        n_labels=params.n_labels,
    )
    assert len(text.encode()) <= 5_000_000
