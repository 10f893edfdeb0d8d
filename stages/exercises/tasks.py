"""Exercise 1, what autoencoders are used for: a map, samples, anomalies, compression."""

import zlib

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.metrics import roc_auc_score

from dae.reconstruction import frechet_distance
from stages.common.params import Params
from stages.exercises import code_sizes
from stages.exercises.inputs import Evidence, Inputs, Jobs, Results, decibels, settings

MAPPED = 2000  # number of test images on the map and in the distances between sets of images
COMPRESSED = 32  # bytes; the sweep's code whose size has the ratio closest to 1 to this compresses the images


def jobs(inputs: Inputs, params: Params) -> Jobs:
    """Train autoencoders for the map, for samples, and one for each class that is left out of the training."""
    plain = settings(params, (512, 20))
    found = {
        "map": (inputs.job(), settings(params, (512, 128, 2))),
        "plain": (inputs.job(), plain),
        "variational": (inputs.job(), settings(params, (512, 20), variational=True)),
    }
    for c in range(10):  # an autoencoder should reconstruct a class worse if it has not seen it
        seen = inputs.train[inputs.train_labels != c]
        found[f"without {c}"] = (inputs.job(train=seen), settings(params, (128, 16)))
    return found


def measure(results: Results, inputs: Inputs, params: Params) -> Evidence:
    """Measure each task: trustworthiness of the map, Fréchet distance of samples, AUROC of anomalies, compression."""
    mapped = inputs.scaled[:MAPPED]
    pca = PCA(2, svd_solver="covariance_eigh").fit(inputs.train / np.float32(255))
    codes = {"ae_code": results["map"].codes[:MAPPED], "pca_code": pca.transform(mapped)}
    trust = {name: round(trustworthiness(mapped, xy, n_neighbors=10), 4) for name, xy in codes.items()}
    auroc = {
        str(c): round(float(roc_auc_score(inputs.test_labels == c, results[f"without {c}"].test_errors)), 4)
        for c in range(10)
    }
    sets = {"real": mapped, "variational": results["variational"].samples, "plain": results["plain"].samples}
    reference = inputs.scaled[-MAPPED:]  # other test images than those in `real`
    compressed = min(params.theory.codes, key=lambda code: abs(np.log(code / COMPRESSED)))
    facts = {
        "trustworthiness": trust,
        "auroc": auroc,
        "frechet": {name: round(frechet_distance(reference, images), 2) for name, images in sets.items()},
        "compression": {
            "bytes": compressed,
            "lossless": round(
                float(np.mean([len(zlib.compress(image.tobytes(), 9)) for image in inputs.test[:MAPPED]]))
            ),
            "psnr": decibels(results[code_sizes.name(compressed, 0.0)].byte_error),
            "pca": inputs.pca_psnr(compressed),
        },
    }
    arrays = {**codes, "classes": inputs.test_labels[:MAPPED]}
    return facts, arrays | {name: images[:10] for name, images in sets.items()}
