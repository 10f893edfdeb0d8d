"""Train the same classifiers from random weights: the arm without pre-training, data/baseline/."""

from stages._classifiers import train_arm
from stages.common.params import Params
from stages.common.process import run


def main(params: Params) -> None:
    """Train the arm; one empty list a dAE stands for its encoder."""
    train_arm("baseline", params, [()] * params.pretrain.models)


if __name__ == "__main__":
    run(main)
