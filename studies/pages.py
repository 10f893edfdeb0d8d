"""Write the studies' results in both languages, and both as a page: reports/studies/studies.*, estudos.md."""

from pathlib import Path

import pandas as pd
from scipy import stats

from stages._page import page
from stages._params import Params
from stages._stage import load_json, save_text
from stages._text import renderer
from stages._trail import sources
from studies._params import StudyParams
from studies._run import run_study

PAGES = {"en": "studies.md", "pt": "estudos.md"}
LINKS = dict.fromkeys(PAGES.values(), "studies.html")
LINKS |= dict.fromkeys(["../report.md", "../relatorio.md"], "../report.html")


def main(params: Params, study_params: StudyParams) -> None:
    facts = collect(params, study_params)
    texts = {language: render(language, facts) for language in PAGES}
    for language, name in PAGES.items():
        save_text(f"reports/studies/{name}", texts[language])
    save_text("reports/studies/studies.html", page(texts, Path("reports/studies"), LINKS))


def collect(params: Params, study_params: StudyParams) -> dict:
    """Everything that the templates may print or decide on."""
    folder = Path("reports/studies")
    curve = load_json(str(folder / "label_curve.json"))
    ablations = pd.read_csv(folder / "ablations.csv")
    ladder = load_json(str(folder / "ladder.json"))
    gains = pd.read_csv(folder / "tune_gains.csv")
    tried = pd.read_csv(folder / "tune.csv")
    return {
        "p": params,
        "study": study_params,
        "main": load_json("reports/evaluation.json"),
        "tune": load_json(str(folder / "tune.json")),
        "tried": {arm: rows.sort_values("accuracy") for arm, rows in tried.groupby("arm")},
        "gains": gains.to_dict("records"),
        "gains_correlation": float(stats.spearmanr(gains["without"], gains["gain"]).statistic),
        "sources": sources("studies/dvc.yaml", folder, until="pages"),
        "best": load_json(str(folder / "best.json")),
        "curve": curve,
        "by_labels": {row["n_labels"]: row for row in curve["rows"]},
        "noise": load_json(str(folder / "noise_curve.json")),
        "ablations": ablations.to_dict("records"),
        "ablation": {(row["group"], row["value"]): row["accuracy"] for row in ablations.to_dict("records")},
        "ladder": {(row["n_labels"], row["arm"]): row for row in ladder["rows"]},
        "ladder_threshold": ladder["threshold"],
        "published": pd.read_csv("studies/published.csv").to_dict("records"),
    }


def render(language: str, facts: dict) -> str:
    """The page in a language, `en` or `pt`."""
    return renderer(Path(__file__).parent / "templates", language)(f"{PAGES[language]}.j2", facts)


if __name__ == "__main__":
    run_study(main)
