"""Write the report in English and in Portuguese from the same numbers: reports/report.md, reports/relatorio.md."""

import math
from itertools import pairwise
from pathlib import Path

import pandas as pd

from stages._params import Params
from stages._stage import load_array, load_json, run, save_text
from stages._text import renderer

REPORTS = {"en": "report.md", "pt": "relatorio.md"}


def main(params: Params) -> None:
    facts = collect(params)
    for language, name in REPORTS.items():
        save_text(f"reports/{name}", render(language, facts))


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
        "n_test": len(load_array("data/raw/test_labels.npy")),
    }


def render(language: str, facts: dict) -> str:
    """The report in a language, `en` or `pt`."""
    return renderer(Path(__file__).parent / "templates", language)(f"{REPORTS[language]}.j2", facts)


if __name__ == "__main__":
    run(main)
