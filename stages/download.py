"""Fetch the data set and check it, or take one's own images: data/raw/."""

from stages import _sources
from stages.common.files import load_arrays, save_array
from stages.common.params import OWN, Params
from stages.common.process import run


def main(params: Params) -> None:
    """Save each array of the data set as .npy."""
    arrays = load_arrays(f"data/sources/{OWN}/images.npz") if params.dataset == OWN else _sources.find(params.dataset)
    for name, array in arrays.items():
        save_array(f"data/raw/{name}.npy", array)


if __name__ == "__main__":
    run(main)
