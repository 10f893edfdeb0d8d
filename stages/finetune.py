"""Train the classifiers that start from the dAEs' encoders: the arm with pre-training, data/finetune/."""

from stages._arm import train_arm
from stages._params import Params
from stages._stage import load_encoders, run


def main(params: Params) -> None:
    train_arm("finetune", params, load_encoders(params.pretrain.models))


if __name__ == "__main__":
    run(main)
