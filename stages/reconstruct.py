"""Are the images reasonably reconstructed? Denoise the test images, measure and show: reports/reconstruction.*.

It does so at other levels of noise than in training too: reports/noise_levels.csv, and a few pictures of each level.
And it looks at what each layer of the dAEs holds: reports/layers.csv.
"""

import numpy as np
import pandas as pd

from dae import codes as looks
from dae.core.seeds import derive
from dae.reconstruction import (
    fit_linear_denoiser,
    fit_pca,
    mean_squared_errors,
    psnr,
    summarise,
)
from dae.sampling import examples
from reporting.reconstruct import figures
from stages._encoders import load_encoders
from stages._figures import save_figure, save_image
from stages.common.errors import StageError
from stages.common.files import load_array, load_images, save_json, save_table
from stages.common.params import Params
from stages.common.process import run

FIGURES = "reports/figures/reconstruct"
FITTED = 60_000  # training images, at most, that linear methods are fitted to; more would take much memory


def main(params: Params) -> None:
    """Measure and draw the reconstructions; the check comes last, so that its failure leaves figures to look at."""
    from dae.core.backend import keras
    from dae.core.images import corrupt, rescale, scale
    from dae.core.networks import build_autoencoder, initial_weights
    from dae.core.training import predict, set_up_tensorflow
    from dae.denoising import corrupt_and_denoise

    set_up_tensorflow()
    units: list[int] = params.network.units
    autoencoder = keras.models.load_model("data/pretrain/dae.keras", compile=False)
    images, classes = load_array("data/raw/test_images.npy"), load_array("data/raw/test_labels.npy")
    all_train = load_images("data/raw/train_images.npy")
    train = all_train[:FITTED] / np.float32(255)
    clean = scale(images.reshape(len(images), -1))
    original = clean.numpy().reshape(images.shape)

    def denoised(noise: float, stream: str, number: int) -> dict[str, np.ndarray]:
        seed = derive(params.seed, stream), number
        kinds = corrupt_and_denoise(autoencoder, clean, params.corruption, noise, seed)
        return {name: array.reshape(images.shape) for name, array in kinds.items()}

    def bright(noisy: np.ndarray, noise: float) -> np.ndarray:
        return np.asarray(rescale(noisy.reshape(len(noisy), -1), params.corruption, noise))

    seed = derive(params.seed, "reconstruct"), 1
    noisy_train = bright(np.asarray(corrupt(train, params.corruption, params.noise, seed)), params.noise)

    # linear methods, of which the first has learnt from the noise that the dAE was trained with
    linear = {"linear": fit_linear_denoiser(train, noisy_train, units[-1]), "pca": fit_pca(train, units[-1])}

    def denoised_otherwise(noisy: np.ndarray, noise: float) -> dict[str, np.ndarray]:
        seen = bright(noisy, noise)
        return {name: denoise(seen).reshape(images.shape) for name, denoise in linear.items()}

    kinds = denoised(params.noise, "reconstruct", 0)
    kinds |= denoised_otherwise(kinds["noisy"], params.noise)
    # the same on as many training images tells whether the dAE has learnt those by heart
    seen = train[: len(images)]
    seen_denoised = corrupt_and_denoise(autoencoder, seen, params.corruption, params.noise, seed)["denoised"]
    train_psnr = psnr(float(np.square(seen_denoised.astype(np.float64) - seen).mean())) or np.nan
    table = pd.concat(
        [pd.DataFrame(summarise(original, array, classes)).assign(images=name) for name, array in kinds.items()]
    )
    errors = mean_squared_errors(original, kinds["denoised"])
    encoder = keras.Model(autoencoder.input, autoencoder.get_layer(f"encoder_{len(units)}").output)
    codes = predict(encoder, clean)
    shown, names = examples(classes, 10), [params.classes[c] for c in classes]
    save_figure(f"{FIGURES}/networks", figures.networks, units, clean.shape[1], len(params.classes))
    save_figure(f"{FIGURES}/reconstruction", figures.reconstructions, original, kinds, shown, names)
    save_figure(f"{FIGURES}/worst", figures.reconstructions, original, kinds, np.argsort(-errors)[:10], names)
    kernel = autoencoder.get_layer("encoder_1").get_weights()[0]
    deviations = (original.reshape(len(original), -1) @ kernel).std(axis=0)
    save_figure(f"{FIGURES}/filters", figures.filters, kernel.T.reshape(-1, *images.shape[1:]), deviations)
    save_figure(f"{FIGURES}/code_units", figures.code_units, codes, original)

    # the report's slider shows the strips: a row of examples for each kind of images at each level
    levels, rows, strips = sorted({*params.reconstruct.levels, params.noise}), [], []
    for number, level in enumerate(levels):
        found = denoised(level, "levels", number)
        found |= denoised_otherwise(found["noisy"], level)
        rows.append({"level": level} | {k: psnr(mean_squared_errors(original, v).mean()) for k, v in found.items()})
        strips += [np.concatenate(list(array[shown]), axis=1) for array in found.values()]
    curve = pd.DataFrame(rows)
    save_table("reports/noise_levels.csv", curve)
    save_figure(f"{FIGURES}/noise_levels", figures.noise_levels, levels, curve, params.noise)
    save_image(f"{FIGURES}/strips.webp", np.concatenate(strips))

    save_table("reports/reconstruction.csv", table[["images", "class", "psnr", "ssim", "mse"]])
    encoders = {str(n): encoder for n, encoder in enumerate(load_encoders(params.pretrain.models), start=1)}
    untrained = build_autoencoder(train.shape[1], units)
    encoders["untrained"] = initial_weights(untrained, derive(params.seed, "untrained"))[: 2 * len(units)]
    save_table("reports/layers.csv", layers(encoders, all_train, clean.numpy(), classes))
    measured = summary(table, errors) | {"train_psnr": rounded(train_psnr, 2)}
    save_json("reports/reconstruction.json", measured)
    check_gain(measured["psnr"], params)


def layers(encoders: dict[str, list], train: np.ndarray, test: np.ndarray, classes: np.ndarray) -> pd.DataFrame:
    """What each layer of each encoder holds of the test images, and probes that the first label draws train.

    Args:
        encoders: for each name, `[kernel_1, bias_1, ...]`; encoder i gets the labelled images of draw i.
        train: training images, uint8 of shape (n, pixels).
        test: test images, float32 of shape (n_test, pixels), in [0, 1].
        classes: of the test images.

    Returns:
        A table with the columns dae, layer (0 for the pixels), units, dead (units), dimension, components (both of the
        outputs' covariance), linear and neighbours (accuracies of probes, fractions).
    """
    labels, draws = load_array("data/raw/train_labels.npy"), load_array("data/split/draws.npy")
    rows = []
    for number, (name, encoder) in enumerate(encoders.items()):
        own = draws[number % len(draws)]
        images = train[own] / np.float32(255)
        outputs = [(images, test), *zip(looks.layers(encoder, images), looks.layers(encoder, test), strict=True)]
        for layer, (labelled, found) in enumerate(outputs):
            rows.append(
                {
                    "dae": name,
                    "layer": layer,
                    "units": found.shape[1],
                    "dead": looks.dead_units(found),
                    "dimension": looks.effective_dimension(found),
                    "components": looks.main_components(found),
                    "linear": looks.linear_probe(labelled, labels[own], found, classes),
                    "neighbours": looks.neighbours_probe(labelled, labels[own], found, classes),
                }
            )
    return pd.DataFrame(rows)


def summary(table: pd.DataFrame, errors: np.ndarray) -> dict:
    """The numbers that the report and `dvc metrics` show.

    Args:
        table: PSNR in dB, SSIM and MSE of each kind of images, for each class and for `all`.
        errors: mean squared error of each denoised image, shape (n,).
    """
    overall = table[table["class"] == "all"].set_index("images")
    found: dict = {
        measure: {name: rounded(overall.loc[name, measure], digits) for name in overall.index}
        for measure, digits in (("psnr", 2), ("ssim", 4), ("mse", 5))
    }
    return found | {"worst_mse": rounded(np.sort(errors)[-10:].mean(), 5)}


def rounded(value: float, digits: int) -> float | None:
    """Round a value to `digits` digits after the point; None for None and NaN."""
    return None if pd.isna(value) else round(float(value), digits)


def check_gain(psnr: dict[str, float | None], params: Params) -> None:
    """Raise StageError if denoising gains less PSNR than `min_psnr_gain`; without noise there is nothing to check."""
    noisy, denoised, minimum = psnr["noisy"], psnr["denoised"], params.reconstruct.min_psnr_gain
    if noisy is None:
        return
    gain = (np.inf if denoised is None else denoised) - noisy
    if gain < minimum:
        raise StageError(
            f"the denoised test images have a PSNR of {denoised:.2f} dB, the noisy ones {noisy:.2f} dB: "
            f"a gain of {gain:.2f} dB, below reconstruct.min_psnr_gain = {minimum:g} dB. "
            f"Look at {FIGURES}/reconstruction.en.svg; train for more pretrain.epochs, or lower this bound"
        )


if __name__ == "__main__":
    run(main)
