"""Evidence for the theory exercises, from small autoencoders of several kinds: reports/theory.json and figures."""

import zlib
from dataclasses import replace

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.metrics import roc_auc_score

from dae import figures
from dae.autoencoders import Data, Specification, fit_autoencoders, probe
from dae.reconstruction import frechet_distance, project_on_principal_components, psnr
from dae.seeds import derive
from stages._params import Params
from stages._stage import Progress, load_array, load_images, n_jobs, run, save_figure, save_json

FOLDER = "reports/figures/theory"
MAPPED = 2000  # test images on the map and in the distances between sets of images
DRAWS, PROBED = 5, 2000  # draws of labelled images for the linear probes, and the most images of a draw


def main(params: Params) -> dict:
    settings = params.theory
    train, test = load_images("data/raw/train_images.npy"), load_images("data/raw/test_images.npy")
    train_labels, test_labels = load_array("data/raw/train_labels.npy"), load_array("data/raw/test_labels.npy")
    side = load_array("data/raw/test_images.npy").shape[1:]
    examples = [np.flatnonzero(test_labels == c)[0] for c in range(10)]
    some, classes = train[: settings.images], train_labels[: settings.images]
    drawn = load_array("data/split/draws.npy")[:DRAWS, :PROBED]
    probed = {"labelled": train[drawn], "labels": train_labels[drawn]}
    unlike = strange_inputs(test[examples], derive(params.seed, "theory", "queries"))

    plain = Specification(
        units=(512, 20),
        steps=settings.epochs * -(-len(some) // settings.batch_size),
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=derive(params.seed, "theory"),
    )
    wide = replace(plain, units=(2 * some.shape[1],), activation="relu")
    stacked = replace(plain, units=tuple(params.network.units), activation="relu")
    data = Data(some, test, test_labels)
    with_probes = replace(data, **probed, queries=test[examples])
    few = replace(data, train=train[: settings.few])
    jobs = {
        **{
            ("sweep", code, noise): (replace(plain, units=(512, code), noise=noise), with_probes)
            for code in sorted(settings.codes, reverse=True)
            for noise in (0.0, settings.noise)
        },
        "copying": (wide, replace(with_probes, queries=unlike)),
        "denoising": (replace(wide, noise=settings.noise), replace(with_probes, queries=unlike)),
        "untrained": (replace(wide, steps=0), with_probes),
        **{(name, "tied"): (replace(stacked, tied=True), part) for name, part in (("many", data), ("few", few))},
        **{(name, "free"): (stacked, part) for name, part in (("many", data), ("few", few))},
        "map": (replace(plain, units=(512, 128, 2)), data),
        "plain": (plain, data),
        "variational": (replace(plain, variational=True), data),
        **{
            ("without", c): (replace(plain, units=(128, 16)), replace(data, train=some[classes != c]))
            for c in range(10)
        },
    }
    progress, fitted = Progress(len(jobs), "autoencoder"), {}
    for name, found in zip(jobs, fit_autoencoders(jobs.values(), n_jobs()), strict=True):
        fitted[name] = found
        progress.step(name if isinstance(name, str) else " ".join(map(str, name)))

    pixels, scaled = some / np.float32(255), test / np.float32(255)

    def pca_psnr(components: int) -> float | None:
        if components >= pixels.shape[1]:
            return None
        images = project_on_principal_components(pixels, scaled, components)
        return decibels(np.square(images - scaled).mean())

    pixel_probe = float(np.mean([probe(train[d], train_labels[d], test, test_labels) for d in drawn]))
    sweep = [
        {
            "code": code,
            "psnr": {kind: decibels(fitted["sweep", code, noise].test_errors.mean()) for kind, noise in kinds}
            | {"pca_line": pca_psnr(code)},
            "probe": {kind: accuracy(fitted["sweep", code, noise].probes) for kind, noise in kinds},
        }
        for kinds in [(("no_noise", 0.0), ("with_noise", settings.noise))]
        for code in sorted(settings.codes)
    ]
    auroc = {
        str(c): round(float(roc_auc_score(test_labels == c, fitted["without", c].test_errors)), 4) for c in range(10)
    }
    pca = PCA(2, svd_solver="covariance_eigh").fit(pixels)
    mapped = {"ae_code": fitted["map"].codes[:MAPPED], "pca_code": pca.transform(scaled[:MAPPED])}
    trust = {name: round(trustworthiness(scaled[:MAPPED], xy, n_neighbors=10), 4) for name, xy in mapped.items()}
    reference = scaled[-MAPPED:]
    sets = {
        "real": scaled[:MAPPED],
        "variational": fitted["variational"].samples,
        "plain": fitted["plain"].samples,
    }
    compressed = min(settings.codes, key=lambda code: abs(np.log(code / 32)))
    save_json(
        "reports/theory.json",
        {
            "steps": plain.steps,
            "trustworthiness": trust,
            "auroc": auroc,
            "frechet": {name: round(frechet_distance(reference, images), 2) for name, images in sets.items()},
            "compression": {
                "bytes": compressed,
                "lossless": round(float(np.mean([len(zlib.compress(image.tobytes(), 9)) for image in test[:MAPPED]]))),
                "psnr": decibels(fitted["sweep", compressed, 0.0].byte_error),
                "pca": pca_psnr(compressed),
            },
            "pixels": round(pixel_probe, 4),
            "overcomplete": {
                name: {"psnr": decibels(fitted[name].test_errors.mean()), "probe": accuracy(fitted[name].probes)}
                for name in ("untrained", "copying", "denoising")
            },
            "sweep": sweep,
            "tied": [
                {
                    "images": len(jobs[name, kind][1].train),
                    "tied": kind == "tied",
                    "parameters": fitted[name, kind].n_parameters,
                    "train": round(fitted[name, kind].train_error, 5),
                    "test": round(float(fitted[name, kind].test_errors.mean()), 5),
                }
                for name in ("many", "few")
                for kind in ("free", "tied")
            ],
        },
    )

    def pictures(array: np.ndarray) -> np.ndarray:
        return array.reshape(-1, *side)

    save_figure(f"{FOLDER}/maps", figures.maps, mapped, test_labels[:MAPPED], trust)
    save_figure(f"{FOLDER}/samples", figures.samples, {name: pictures(images[:10]) for name, images in sets.items()})
    save_figure(f"{FOLDER}/anomalies", figures.anomalies, auroc)
    rows = {"input": unlike / np.float32(255)} | {name: fitted[name].queries for name in ("copying", "denoising")}
    rows = {name: pictures(images) for name, images in rows.items()}
    save_figure(f"{FOLDER}/copies", figures.copies, rows, *wide.units)
    reconstructed = [pictures(fitted["sweep", row["code"], 0.0].queries) for row in sweep]
    codes = [row["code"] for row in sweep]
    save_figure(f"{FOLDER}/code_sizes", figures.code_sizes, codes, reconstructed, pictures(scaled[examples]))
    save_figure(f"{FOLDER}/sweep", figures.sweep, sweep, pixel_probe, pixels.shape[1])
    return {f"seconds_{kind}": round(fitted["many", kind].seconds, 1) for kind in ("free", "tied")}


def strange_inputs(images: np.ndarray, seed: int) -> np.ndarray:
    """Ten inputs to reconstruct: four of the images with half of the pixels masked, three upside down, three of noise.

    Args:
        images: at least ten, uint8 of shape (n, pixels).
    """
    rng = np.random.default_rng(seed)
    masked = np.where(rng.random(images[:4].shape) < 0.5, 0, images[:4])
    noise = rng.integers(0, 256, images[:3].shape)
    return np.concatenate([masked, images[4:7, ::-1], noise]).astype(np.uint8)


def decibels(error: float) -> float | None:
    value = psnr(float(error))
    return None if value is None else round(value, 2)


def accuracy(probes: list[float]) -> float:
    return round(float(np.mean(probes)), 4)


if __name__ == "__main__":
    run(main)
