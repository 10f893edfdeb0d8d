"""Fetch the data set and check it: data/raw/."""

from stages import _sources
from stages.common.files import save_array
from stages.common.params import Params
from stages.common.process import run


def main(params: Params) -> None:
    """Save each array of the data set as .npy."""
    for name, array in _sources.find(params.dataset).items():
        save_array(f"data/raw/{name}.npy", array)


if __name__ == "__main__":
    run(main)
