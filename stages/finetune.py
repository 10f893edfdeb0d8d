"""Train the classifiers that start from the dAE's encoder: the arm with pre-training, data/finetune/."""

from stages._arm import train_arm
from stages._params import Params
from stages._stage import load_arrays, run


def main(params: Params) -> None:
    train_arm("finetune", params, encoder=load_arrays("data/pretrain/encoder.npz"))


if __name__ == "__main__":
    run(main)
