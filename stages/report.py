"""Write the report in each language from the same numbers, and all in one page: reports/report.*, relatorio.md."""

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dae.sampling import UNLABELLED, examples
from reporting.common.words import LANGUAGES, words_of
from reporting.pages.html import page
from reporting.pages.markdown import render
from reporting.pages.provenance import origins
from reporting.report import facts
from stages.common.files import load_array, load_json, save_text
from stages.common.params import DATASETS, Params
from stages.common.process import run
from stages.common.surroundings import numeric_versions

TEMPLATES = Path(facts.__file__).parent
FOLDER = Path("reports")
LOSSES = {"pretrain": "pretrain", "with": "finetune", "without": "baseline"}  # files of the training losses


def main(params: Params) -> None:
    """Collect the facts, then write a text for each language and the page."""
    found = facts.collect(params, load(params))
    texts = {language: render(TEMPLATES, language, found) for language in LANGUAGES}
    links: dict[str, str] = {}
    for language, text in texts.items():
        files = words_of("pages", language)["files"]
        save_text(str(FOLDER / files["report"]), text)
        links |= {files["report"]: f"#{language}", f"studies/{files['studies']}": f"studies/studies.html#{language}"}
    levels = [row["level"] for row in found["levels"]]
    slider = {
        "levels": levels,
        "kinds": [kind for kind in found["levels"][0] if kind != "level"],
        "psnr": found["levels"],
        "start": min(range(len(levels)), key=lambda i: abs(levels[i] - params.noise)),
        "classes": [params.classes[c] for c in found["examples"]],
        "strips": "figures/reconstruct/strips.webp",
    }
    save_text("reports/report.html", page(texts, FOLDER, links, slider))


def load(params: Params) -> dict[str, Any]:
    """Load the results of the other stages, for `reporting.report.facts.collect`."""
    train_images = load_array("data/raw/train_images.npy")
    labels, n_classes = load_array("data/raw/train_labels.npy"), len(params.classes)
    counts = np.array([np.bincount(drawn, minlength=n_classes) for drawn in labels[load_array("data/split/draws.npy")]])
    test_labels = load_array("data/raw/test_labels.npy")
    return {
        "evaluation": load_json("reports/evaluation.json"),
        "metrics_file": load_json("reports/metrics.json"),
        "replicates": pd.read_csv("reports/replicates.csv"),
        "reconstruction": load_json("reports/reconstruction.json"),
        "reconstruction_table": pd.read_csv("reports/reconstruction.csv", dtype={"class": str}),
        "layers": pd.read_csv("reports/layers.csv"),
        "noise_levels": pd.read_csv("reports/noise_levels.csv"),
        "losses": {key: pd.read_csv(f"reports/history/{name}.csv") for key, name in LOSSES.items()},
        "theory": load_json("reports/theory.json"),
        "methods": pd.read_csv("reports/methods.csv"),
        "departures": pd.read_csv("reports/departures.csv"),
        "published": pd.read_csv("studies/published.csv"),
        "tolerances": load_json("tolerances.json"),
        "dataset": DATASETS[params.dataset],
        "images": DATASETS[params.dataset]["title"],
        "class_counts": {"min": int(counts.min()), "max": int(counts.max())},
        "labelled_of_class": np.bincount(labels[labels != UNLABELLED], minlength=n_classes).tolist(),
        "examples": test_labels[examples(test_labels, 10)].tolist(),
        "plain": load_json("reports/plain.json"),
        "listing": Path("docs/plain_keras.py").read_text(encoding="utf-8").rstrip(),
        "n_train": len(train_images),
        "n_pixels": train_images[0].size,
        "n_test": len(test_labels),
        "sources": origins("dvc.yaml", FOLDER, before="report"),
        "versions": numeric_versions(),
        "pythons": pythons(),
    }


def pythons() -> tuple[str, str]:
    """The oldest and the newest Python that the project supports."""
    wanted = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    found = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", wanted)
    if found is None:
        raise ValueError(f"requires-python in pyproject.toml is {wanted}; expected is the form >=3.11,<3.14")
    return f"3.{found[1]}", f"3.{int(found[2]) - 1}"


if __name__ == "__main__":
    run(main)
