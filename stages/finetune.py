"""Train the classifiers that start from the dAEs' encoders: the arm with pre-training, data/finetune/."""

from stages._classifiers import train_arm
from stages._encoders import load_encoders
from stages.common.params import Params
from stages.common.process import run


def main(params: Params) -> None:
    """Train the arm from the encoders that the stage pretrain saved."""
    train_arm("finetune", params, load_encoders(params.pretrain.models))


if __name__ == "__main__":
    run(main)
