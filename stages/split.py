"""Draw the labelled images of every replicate, and plan its runs: data/split/."""

import numpy as np
import pandas as pd

from dae.core.seeds import derive
from dae.sampling import draw_labelled
from stages.common.errors import StageError
from stages.common.files import load_array, save_array, save_table
from stages.common.params import Params
from stages.common.process import run


def main(params: Params) -> None:
    """Save the rows of the labelled images, shape (replicates, n_labels), and the table of runs."""
    labels = load_array("data/raw/train_labels.npy")
    try:
        draws = [
            draw_labelled(labels, params.n_labels, derive(params.seed, "split", r), params.split.stratified)
            for r in range(params.replicates)
        ]
    except ValueError as error:
        raise StageError(f"n_labels is {params.n_labels}, with split.stratified: {error}") from error
    save_array("data/split/draws.npy", np.stack(draws))
    save_table("data/split/runs.csv", plan(params), digits=10)


def plan(params: Params) -> pd.DataFrame:
    """A table with a row for each run: its label draw, its seed, its dAE, and whether it repeats a label draw.

    With M dAEs, replicate r uses dAE r mod M, and its repeat uses dAE floor(r / M) mod M. Over M**2 repeats every pair
    (dAE of the replicate, dAE of its repeat) occurs once. So `dae.comparison.spread` can separate the variance that
    comes from the dAE from that of the label draw.
    """
    models, repeats = params.pretrain.models, min(params.split.repeats, params.replicates)
    first = [(r, derive(params.seed, "replicate", r), r % models, False) for r in range(params.replicates)]
    again = [(r, derive(params.seed, "repeat", r), r // models % models, True) for r in range(repeats)]
    return pd.DataFrame(first + again, columns=["draw", "seed", "dae", "repeat"])


if __name__ == "__main__":
    run(main)
