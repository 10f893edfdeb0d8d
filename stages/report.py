"""Write the report in both languages from the same numbers, and both as a page: reports/report.*, relatorio.md."""

import math
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from stages._page import page
from stages._params import Params
from stages._stage import load_array, load_json, run, save_text
from stages._surroundings import numeric_versions
from stages._text import renderer
from stages._trail import sources

REPORTS = {"en": "report.md", "pt": "relatorio.md"}
LINKS = dict.fromkeys(REPORTS.values(), "report.html")
LINKS |= dict.fromkeys(["studies/studies.md", "studies/estudos.md"], "studies/studies.html")


def main(params: Params) -> None:
    facts = collect(params)
    texts = {language: render(language, facts) for language in REPORTS}
    for language, name in REPORTS.items():
        save_text(f"reports/{name}", texts[language])
    levels = facts["levels"]
    slider = {
        "levels": [row["level"] for row in levels],
        "psnr": levels,
        "start": int(np.argmin([abs(row["level"] - params.noise) for row in levels])),
        "strips": "figures/reconstruct/strips.png",
    }
    save_text("reports/report.html", page(texts, Path("reports"), LINKS, slider))


def collect(params: Params) -> dict:
    """Everything that the templates may print or decide on."""
    metrics = load_json("reports/evaluation.json")
    runs = (
        pd.read_csv("reports/replicates.csv")
        .query("not repeat")
        .pivot(index="replicate", columns="arm", values="accuracy")
    )
    gains = runs["with"] - runs["without"]
    recall_gains = {
        c: metrics["with"]["recall"][c] - metrics["without"]["recall"][c] for c in metrics["with"]["recall"]
    }
    by_class = pd.read_csv("reports/reconstruction.csv", dtype={"class": str})
    train_images = load_array("data/raw/train_images.npy")
    n_pixels = train_images[0].size
    widths = [n_pixels, *params.network.units]
    kernels, encoder_biases, decoder_biases = sum(map(math.prod, pairwise(widths))), sum(widths[1:]), sum(widths[:-1])
    variances = {source: deviation**2 for source, deviation in metrics["spread"].items()}
    return {
        "p": params,
        "metrics": metrics,
        "difference": metrics["difference"]["accuracy"],
        "verdict": metrics["verdict"],
        "spread_shares": {source: variance / (sum(variances.values()) or 1) for source, variance in variances.items()},
        "n_runs": len(pd.read_csv("reports/history/finetune.csv")["run"].unique()),
        "repeats": min(params.split.repeats, params.replicates),
        "wins": int((gains > 0).sum()),
        "recall_gains": recall_gains,
        "most": max(recall_gains, key=recall_gains.get),
        "least": min(recall_gains, key=recall_gains.get),
        "reconstruction": load_json("reports/reconstruction.json"),
        "by_class": by_class[by_class["class"] != "all"].pivot_table(index="class", columns="images", values="psnr"),
        "pretraining": pd.read_csv("reports/history/pretrain.csv").groupby("epoch")["loss"].mean().tolist(),
        "final_loss": {
            arm: pd.read_csv(f"reports/history/{name}.csv").groupby("run")["loss"].last().mean()
            for arm, name in (("with", "finetune"), ("without", "baseline"))
        },
        "n_train": len(train_images),
        "n_pixels": n_pixels,
        "n_parameters": {
            "tied": kernels + encoder_biases + decoder_biases,
            "untied": 2 * kernels + encoder_biases + decoder_biases,
        },
        "levels": [
            {name: None if pd.isna(value) else value for name, value in row.items()}
            for row in pd.read_csv("reports/noise_levels.csv").to_dict("records")
        ],
        "theory": load_json("reports/theory.json"),
        "n_overcomplete": 2 * n_pixels,
        "n_probed": min(params.n_labels, 2000),
        "sources": sources("dvc.yaml", Path("reports"), until="report"),
        "versions": numeric_versions(),
        "pythons": pythons(),
        "arithmetics": arithmetics(load_json("tolerances.json"), load_json("reports/metrics.json")),
        "n_test": len(load_array("data/raw/test_labels.npy")),
    }


def pythons() -> tuple[str, str]:
    """The oldest and the newest Python that the project supports."""
    wanted = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    oldest, beyond = (int(minor) for minor in re.fullmatch(r">=3\.(\d+),<3\.(\d+)", wanted).groups())
    return f"3.{oldest}", f"3.{beyond - 1}"


def arithmetics(measured: dict, metrics: dict) -> dict | None:
    """How far the metrics move with other instructions of the processor: what `verify.py --arithmetic` measured.

    Args:
        measured: the content of tolerances.json: for each metric, its value by run and its tolerance.
        metrics: the present content of reports/metrics.json.

    Returns:
        `runs`, the names of the arithmetics; `rows`, for each metric that is a number its `name`, its values in the
        order of `committed` and the runs, and its `tolerance`; `verdicts`, of each run. None where another result was
        measured.
    """
    found = {name: measured.get(f"reports/metrics.json: {name}", {}) for name in metrics}
    if any(found[name].get("committed") != value for name, value in metrics.items()):
        return None
    runs = [key for key in found["verdict"] if key not in ("committed", "tolerance")]
    return {
        "runs": runs,
        "verdicts": {run: found["verdict"][run] for run in runs},
        "rows": [
            {"name": name, "values": [row[run] for run in ("committed", *runs)], "tolerance": row["tolerance"]}
            for name, row in found.items()
            if row["tolerance"] is not None
        ],
    }


def render(language: str, facts: dict) -> str:
    """The report in a language, `en` or `pt`."""
    return renderer(Path(__file__).parent / "templates", language)(f"{REPORTS[language]}.j2", facts)


if __name__ == "__main__":
    run(main)
