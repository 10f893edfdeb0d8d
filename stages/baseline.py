"""Train the same classifiers from random weights: the arm without pre-training, data/baseline/."""

from stages._arm import train_arm
from stages._params import Params
from stages._stage import run


def main(params: Params) -> None:
    train_arm("baseline", params, [()] * params.pretrain.models)


if __name__ == "__main__":
    run(main)
