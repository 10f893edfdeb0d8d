"""Exercise 1, what autoencoders are used for: a map, anomalies, compression; `samples` has the generation of images."""

import zlib

import numpy as np
from sklearn.manifold import trustworthiness
from sklearn.metrics import roc_auc_score

from stages.common.params import Params
from stages.exercises.inputs import Evidence, Inputs, Jobs, Results, decibels, long, settings, spread

MAPPED = 2000  # number of test images on the map, and of those that zlib compresses
NEIGHBOURS = 10  # that trustworthiness compares
LEAST_INK = 1e-6  # of an image; an even black one has none
ANOMALY_UNITS = (128, 16)  # of the autoencoders that find anomalies


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Train an autoencoder for the map, and one for each class that is left out of the training."""
    units: list[int] = params.theory.tasks.units
    found = {"map": (inputs.probed(train=inputs.many, keeps_codes=True), long(params, (*units[:-1], 2)))}
    for c in left_out(inputs):  # an autoencoder should reconstruct a class worse if it has not seen it
        seen = inputs.train[inputs.known & (inputs.train_labels != c)]
        found[f"without {c}"] = (inputs.job(train=seen), settings(params, ANOMALY_UNITS))
    return found


def left_out(inputs: Inputs) -> list[int]:
    """The classes that are taken for anomalies in turn: at most the first ten."""
    return np.unique(inputs.test_labels)[:10].tolist()


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """Measure how well the map keeps neighbours and classes, how well anomalies are found, and the compression.

    Anomalies are found by the error of an image, and by its error divided by its ink, the mean of its squared pixels.
    """
    mapped, ink = inputs.scaled[:MAPPED], np.maximum(np.square(inputs.scaled).mean(axis=1), LEAST_INK)
    codes = {"ae_code": results["map"].codes[:MAPPED], "pca_code": inputs.pca_codes(inputs.test[:MAPPED], 2)}
    neighbours = {
        "ae_code": results["map"].neighbours,
        "pca_code": inputs.probe(lambda images: inputs.pca_codes(images, 2))["neighbours"],
    }

    def auroc(scale: np.ndarray | float) -> dict[str, float]:
        return {
            str(c): round(float(roc_auc_score(inputs.test_labels == c, results[f"without {c}"].test_errors / scale)), 4)
            for c in left_out(inputs)
        }

    compressed = results["plain"]
    units: list[int] = params.theory.tasks.units
    n_bytes = units[-1]
    by_pca = inputs.pca_images(inputs.test, n_bytes)
    facts = {
        "mapped": len(mapped),
        "anomaly_units": list(ANOMALY_UNITS),
        "map": {
            name: {
                "trustworthiness": round(
                    trustworthiness(mapped, xy, n_neighbors=min(NEIGHBOURS, len(mapped) // 2 - 1)), 4
                ),
                "neighbours": spread(neighbours[name]),
            }
            for name, xy in codes.items()
        },
        "auroc": auroc(1.0),
        "auroc_by_ink": auroc(ink),
        "compression": {
            "bytes": n_bytes,
            "lossless": round(
                float(np.mean([len(zlib.compress(image.tobytes(), 9)) for image in inputs.test[:MAPPED]]))
            ),
            "psnr": decibels(compressed.byte_error),
            "pca": decibels(np.square(by_pca - inputs.scaled).mean()),
        },
    }
    shown = inputs.queries["plain"][:10]
    arrays = {
        **codes,
        "classes": inputs.test_labels[:MAPPED],
        "examples": shown / np.float32(255),
        "compressed": compressed.byte_queries[:10],
        "compressed_by_pca": inputs.pca_images(shown, n_bytes),
    }
    return facts, arrays
