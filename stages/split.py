"""Draw the labelled images of every replicate, and its seed: data/split/."""

import numpy as np

from dae.sampling import draw_labelled
from dae.seeds import derive
from stages._params import Params
from stages._stage import StageError, load_array, run, save_array


def main(params: Params) -> None:
    labels = load_array("data/raw/train_labels.npy")
    replicates = range(params.replicates)
    try:
        draws = [
            draw_labelled(labels, params.n_labels, derive(params.seed, "split", r), params.split.stratified)
            for r in replicates
        ]
    except ValueError as error:
        raise StageError(f"n_labels is {params.n_labels}, with split.stratified: {error}") from error
    save_array("data/split/draws.npy", np.stack(draws))
    save_array("data/split/seeds.npy", np.array([derive(params.seed, "replicate", r) for r in replicates], np.int32))


if __name__ == "__main__":
    run(main)
