"""Are the images reasonably reconstructed? Denoise the test images, measure and show: reports/reconstruction.*.

Also at other levels of the noise than the dAE's own: reports/noise_levels.csv, and a few pictures of each.
"""

import numpy as np
import pandas as pd

from dae import figures
from dae.reconstruction import mean_squared_errors, project_on_principal_components, psnr, summarise
from stages._params import Params
from stages._stage import StageError, load_array, load_images, run, save_figure, save_image, save_json, save_table


def main(params: Params) -> None:
    from dae.backend import keras, tf
    from dae.corruption import corrupt
    from dae.seeds import derive
    from dae.training import predict, scale, set_up_tensorflow

    set_up_tensorflow()
    autoencoder = keras.models.load_model("data/pretrain/dae.keras", compile=False)
    images, classes = load_images("data/raw/test_images.npy"), load_array("data/raw/test_labels.npy")
    clean = scale(images)
    noisy = corrupt(clean, params.corruption, params.noise, tf.constant([derive(params.seed, "reconstruct"), 0]))
    train = load_images("data/raw/train_images.npy") / np.float32(255)
    flat = {
        "noisy": noisy.numpy(),
        "denoised": tf.sigmoid(predict(autoencoder, noisy)).numpy(),
        "pca": project_on_principal_components(train, noisy.numpy(), params.network.units[-1]),
    }
    shape = load_array("data/raw/test_images.npy").shape
    original, kinds = clean.numpy().reshape(shape), {name: array.reshape(shape) for name, array in flat.items()}
    table = pd.concat(
        [pd.DataFrame(summarise(original, array, classes)).assign(images=name) for name, array in kinds.items()]
    )

    encoder = keras.Model(autoencoder.input, autoencoder.get_layer(f"encoder_{len(params.network.units)}").output)
    codes = predict(encoder, clean)
    errors = mean_squared_errors(original, kinds["denoised"])
    examples = [np.flatnonzero(classes == c)[0] for c in range(10)]
    folder = "reports/figures/reconstruct"
    save_figure(f"{folder}/reconstruction", figures.reconstructions, original, kinds, examples)
    save_figure(f"{folder}/worst", figures.reconstructions, original, kinds, np.argsort(-errors)[:10])
    kernel = autoencoder.get_layer("encoder_1").get_weights()[0]
    save_figure(f"{folder}/filters", figures.filters, kernel.T.reshape(-1, *shape[1:]))
    save_figure(f"{folder}/code_units", figures.code_units, codes, original)

    levels, rows, strips = sorted(params.reconstruct.levels), [], []
    for i, level in enumerate(levels):
        seed = tf.constant([derive(params.seed, "levels"), i])
        noisy = corrupt(clean, params.corruption, level, seed)
        denoised = tf.sigmoid(predict(autoencoder, noisy))
        pair = {"noisy": noisy.numpy().reshape(shape), "denoised": denoised.numpy().reshape(shape)}
        rows.append({"level": level} | {k: psnr(mean_squared_errors(original, v).mean()) for k, v in pair.items()})
        strips += [np.concatenate(list(images[examples]), axis=1) for images in pair.values()]
    curve = pd.DataFrame(rows)
    save_table("reports/noise_levels.csv", curve)
    save_figure(f"{folder}/noise_levels", figures.noise_levels, levels, curve, params.noise)
    save_image(f"{folder}/strips.png", np.concatenate(strips))

    overall = table[table["class"] == "all"].set_index("images")
    summary = {
        measure: {name: rounded(overall.loc[name, measure], digits) for name in kinds}
        for measure, digits in (("psnr", 2), ("ssim", 4), ("mse", 5))
    }
    summary |= {
        "worst_mse": rounded(np.sort(errors)[-10:].mean(), 5),
        "dead_units": int((codes == 0).all(axis=0).sum()),
    }
    save_table("reports/reconstruction.csv", table[["images", "class", "psnr", "ssim", "mse"]])
    save_json("reports/reconstruction.json", summary)
    check_gain(summary["psnr"], params)


def rounded(value: float, digits: int) -> float | None:
    return None if pd.isna(value) else round(float(value), digits)


def check_gain(psnr: dict[str, float | None], params: Params) -> None:
    """The gate: raise StageError unless denoising beats leaving the noise in; without noise it has nothing to do."""
    if psnr["noisy"] is None:
        return
    gain, minimum = psnr["denoised"] - psnr["noisy"], params.reconstruct.min_psnr_gain
    if gain < minimum:
        raise StageError(
            f"the denoised test images have a PSNR of {psnr['denoised']:.2f} dB, "
            f"the noisy ones {psnr['noisy']:.2f} dB: a gain of {gain:.2f} dB, "
            f"below reconstruct.min_psnr_gain = {minimum:g} dB. "
            "Look at reports/figures/reconstruct/reconstruction.en.png; "
            "train for more pretrain.epochs, or lower the bound"
        )


if __name__ == "__main__":
    run(main)
