"""Draw the evidence for the theory exercises; the stage theory trains, which takes long: reports/figures/theory/."""

import numpy as np

from reporting.theory import figures
from stages._figures import save_figure
from stages.common.files import load_array, load_arrays, load_json
from stages.common.params import Params
from stages.common.process import run

FIGURES = "reports/figures/theory"


def main(params: Params) -> None:
    """Draw all figures from reports/theory.json and data/theory/evidence.npz."""
    facts, arrays = load_json("reports/theory.json"), load_arrays("data/theory/evidence.npz")
    side = load_array("data/raw/test_images.npy").shape[1:]
    n_pixels = int(np.prod(side))

    def pictures(**names: str) -> dict[str, np.ndarray]:
        return {name: arrays[key].reshape(-1, *side) for name, key in names.items()}

    codes = [row["code"] for row in facts["sweep"]]
    left = [arrays[f"code_{code}"].reshape(-1, *side) for code in codes]
    points = {name: arrays[name] for name in ("ae_code", "pca_code")}
    samples = pictures(real="real", variational="variational", plain="plain", gaussian="gaussian")
    compressed = pictures(original="examples", by_autoencoder="compressed", by_pca="compressed_by_pca")
    copies = pictures(input="strange", copying="strange_copying", denoising="strange_denoising")
    save_figure(f"{FIGURES}/maps", figures.maps, points, arrays["classes"], params.classes, facts["map"])
    save_figure(f"{FIGURES}/samples", figures.samples, samples)
    save_figure(f"{FIGURES}/anomalies", figures.anomalies, facts["auroc"], facts["auroc_by_ink"], params.classes)
    save_figure(f"{FIGURES}/compression", figures.compression, compressed, facts["compression"]["bytes"])
    save_figure(f"{FIGURES}/copies", figures.copies, copies, codes[-1])
    save_figure(f"{FIGURES}/code_sizes", figures.code_sizes, codes, left, pictures(examples="examples")["examples"])
    save_figure(f"{FIGURES}/sweep", figures.sweep, facts["sweep"], facts["pixels"], facts["linear"], n_pixels)


if __name__ == "__main__":
    run(main)
