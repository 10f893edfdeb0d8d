"""Train the classifiers that start from the dAEs' encoders: the arm with pre-training, data/finetune/."""

from stages._arm import train_arm
from stages._params import Params
from stages._stage import load_arrays, run


def main(params: Params) -> None:
    arrays = load_arrays("data/pretrain/encoders.npz")
    size = len(arrays) // params.pretrain.models
    train_arm("finetune", params, [arrays[i : i + size] for i in range(0, len(arrays), size)])


if __name__ == "__main__":
    run(main)
