"""Which parts of pre-training matter, and what methods without a network reach: reports/studies/ablations.*.

All rows have the label curve's draws.
"""

from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import parallel_config
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from dae.classifiers import ClassifierSettings
from dae.processes import LOCAL
from stages._classifiers import classifier_settings
from stages._daes import dae_settings
from stages.common.files import save_json, save_table
from stages.common.params import Params
from stages.common.process import n_jobs
from studies._params import StudyParams, run_study
from studies._study import Study, paired, question

if TYPE_CHECKING:  # it imports TensorFlow
    from dae.denoising import DaeSettings

CONVOLUTIONAL = (16, 32, 128)  # filters of two strided convolutions, then units of the dense code
FOLDS = 3  # of the cross-validation that chooses the anchors' settings
# methods without a network, to compare with: model, settings to choose from, principal components or None for pixels
ANCHORS: dict[str, tuple[Any, dict, int | None]] = {
    "logistic": (LogisticRegression(max_iter=500), {"C": [0.01, 0.1, 1.0]}, None),
    "neighbours": (KNeighborsClassifier(), {"n_neighbors": [1, 3, 5]}, None),
    "svm": (SVC(), {"C": [1.0, 5.0, 25.0], "gamma": ["scale", 0.02]}, None),
    "pca_svm": (SVC(), {"C": [1.0, 5.0, 25.0], "gamma": ["scale", 0.02]}, 50),
}


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        group, value: what is varied, and its value.
        pretrained: whether the classifier starts from a dAE's encoder.
        changes: settings of the classifier that differ.
        dae: settings of the dAE's training that differ.
        transferred: number of encoder layers that the classifier starts from; None for all.
    """

    group: str
    value: str
    pretrained: bool = True
    changes: dict = field(default_factory=dict)
    dae: dict = field(default_factory=dict)
    transferred: int | None = None


def variants(params: Params, epochs: int) -> list[Variant]:
    """All networks of the table: the reference, then one thing changed at a time."""
    units: list[int] = params.network.units
    depth, code = len(units), units[-1]
    convolutional = {"units": CONVOLUTIONAL, "convolutional": True}
    rows = [
        Variant("reference", "with"),
        Variant("reference", "without", pretrained=False),
        Variant("encoder", "frozen", changes={"frozen": depth}),
        Variant("weights", "free" if params.pretrain.tied else "tied", dae={"tied": not params.pretrain.tied}),
    ]
    rows += [Variant("transferred", str(k), transferred=k) for k in range(1, depth)]
    rows += [Variant("epochs", str(n), dae={"epochs": n}) for n in (1, 3, 3 * epochs)]
    deeper = [*units, max(1, code // 2)]
    rows += [Variant("depth", str(k), changes={"units": tuple(deeper[:k])}) for k in range(1, depth + 2) if k != depth]
    rows += [Variant("code", str(n), changes={"units": (*units[:-1], n)}) for n in (max(1, code // 8), 4 * code)]
    for group, augment in (("convolutional", {}), ("convolutional_moved", {"augment": True})):
        rows += [
            Variant(group, "with", changes=convolutional | augment, dae={"convolutional": True}),
            Variant(group, "without", changes=convolutional | augment, pretrained=False),
        ]
    return rows


def main(params: Params, study_params: StudyParams) -> None:
    """Train and test all variants and anchors on the same label draws."""
    settings = study_params.ablations
    arms = {arm: classifier_settings(params, "finetune" if arm else "baseline") for arm in (True, False)}
    networks = variants(params, settings.epochs)
    study = Study(params, len(networks) + len(ANCHORS), "studies.ablations")
    name = f"label curve {params.n_labels}"
    drawn = [study.draw(name, r, params.n_labels) for r in range(settings.replicates)]
    shared = {"draws": [settings.replicates, params.n_labels, params.split.stratified]}
    dae = {"pretrain": params.pretrain.model_dump(), "models": settings.models}
    usual = {"epochs": settings.epochs, "corruption": params.corruption, "noise": params.noise}
    found: dict[tuple[str, str], list[float]] = {}  # accuracies by group and value

    @cache  # variants share dAEs
    def pretrained(kind: "DaeSettings") -> list[list[np.ndarray]]:
        return [encoder for encoder, _ in study.pretrain("ablations", [kind] * settings.models, test=False)]

    for variant in networks:
        classifier, how = replace(arms[variant.pretrained], **variant.changes), usual | variant.dae

        # the default arguments keep this variant's values
        def answer(variant: Variant = variant, classifier: ClassifierSettings = classifier, how: dict = how) -> dict:
            encoders: list[list[np.ndarray]] = [[]]
            if variant.pretrained:
                arrays = None if variant.transferred is None else 2 * variant.transferred
                own = pretrained(dae_settings(params, units=classifier.units, **how))
                encoders = [encoder[:arrays] for encoder in own]
            return {"accuracies": study.test(name, drawn, classifier, encoders)}

        what = f"{variant.group}: {variant.value}"
        asked = question(what, classifier, **shared, **dae, how=how, layers=[variant.pretrained, variant.transferred])
        found[variant.group, variant.value] = study.cached(asked, answer)["accuracies"]
    for method, (model, grid, components) in ANCHORS.items():
        asked = question(method, arms[False], **shared, anchor=method, grid=grid, folds=FOLDS, components=components)
        answers = study.cached(asked, partial(anchor, study, drawn, model, grid, components))
        found["anchor", method] = answers["accuracies"]
    confidence = params.evaluate.confidence
    rows = [
        {"group": group, "value": value, "accuracy": np.mean(accuracies)}
        | paired(accuracies, found["reference", "with"], confidence)
        for (group, value), accuracies in found.items()
    ]
    save_table("reports/studies/ablations.csv", pd.DataFrame(rows))
    gains = {
        group: paired(found[group, "with"], found[group, "without"], confidence)
        for group in ("reference", "convolutional", "convolutional_moved")
    }
    save_json("reports/studies/ablations.json", {"gains": gains})


def anchor(study: Study, drawn: list[np.ndarray], model: Any, grid: dict, components: int | None) -> dict:
    """Test accuracies of a scikit-learn model; cross-validation on the labelled images chooses its settings.

    Args:
        study: has the images.
        drawn: rows of the labelled images of each replicate.
        model, grid: the model, and the values of its settings to choose from.
        components: number of principal components of all training images, which replace the pixels; None for pixels.

    Returns:
        `accuracies`, a fraction for each replicate.
    """
    train, test = study.images / np.float32(255), study.test_images / np.float32(255)
    if components:
        pca = PCA(components, svd_solver="covariance_eigh").fit(train)
        train, test = pca.transform(train), pca.transform(test)
    accuracies = []
    for rows in drawn:
        with parallel_config(**LOCAL):
            search = GridSearchCV(model, grid, cv=FOLDS, n_jobs=n_jobs()).fit(train[rows], study.labels[rows])
        accuracies.append(float(search.score(test, study.test_labels)))
    return {"accuracies": accuracies}


if __name__ == "__main__":
    run_study(main)
