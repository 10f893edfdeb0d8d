"""Fetch the data set and check it: data/raw/."""

from stages import _sources
from stages._params import Params
from stages._stage import StageError, run, save_array


def main(params: Params) -> None:
    try:
        arrays = _sources.find(params.dataset)
    except _sources.SourceError as error:
        raise StageError(str(error)) from error
    for name, array in arrays.items():
        save_array(f"data/raw/{name}.npy", array)


if __name__ == "__main__":
    run(main)
