"""Run steps 1 to 5 of the exercise as a short script of plain Keras, docs/plain_keras.py: reports/plain.json.

The script has none of the pipeline's care: one training of each network, one draw of labels, round settings. It is
there to be read, and the report shows it.
"""

import runpy

from stages.common.files import load_array, save_json
from stages.common.params import Params
from stages.common.process import run


def main(params: Params) -> None:
    """Run the script on the pipeline's data, and save both accuracies and the squared errors, before and after.

    It is written for images of MNIST's size, all with a label, of ten classes. With others it is not run.
    """
    parts = [[load_array(f"data/raw/{part}_{kind}.npy") for kind in ("images", "labels")] for part in ("train", "test")]
    (images, labels), _ = parts
    if images.shape[1:] != (28, 28) or labels.max() > 9:
        save_json("reports/plain.json", {})
        return
    from dae.core.backend import keras
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    keras.datasets.mnist.load_data = lambda: parts  # the pipeline has fetched them already
    found = runpy.run_path("docs/plain_keras.py")
    names = ("accuracy_with", "accuracy_without", "error_noisy", "error_denoised")
    save_json("reports/plain.json", {name: round(float(found[name]), 5) for name in names})


if __name__ == "__main__":
    run(main)
