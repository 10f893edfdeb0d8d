"""Write the studies' results in each language, and all in one page: reports/studies/studies.*, estudos.md."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from reporting.common.words import LANGUAGES, words_of
from reporting.pages.html import page
from reporting.pages.markdown import render
from reporting.pages.provenance import origins
from reporting.studies import facts
from stages.common.files import load_json, save_text
from stages.common.params import Params
from studies._params import StudyParams, run_study

TEMPLATES = Path(facts.__file__).parent
FOLDER = Path("reports/studies")
PUBLISHED = {"published.csv": Path("studies/published.csv")}  # results that no study makes


def main(params: Params, study_params: StudyParams) -> None:
    """Collect the facts of all sections, then write a text for each language and the page."""
    sections = [*StudyParams.model_fields, *(["published"] if params.dataset == "mnist" else [])]
    found = facts.collect(params, study_params, Results(), sections)
    found["sources"] = origins("studies/dvc.yaml", FOLDER, before="pages")
    found["frozen"] = frozen()
    texts = {language: render(TEMPLATES, language, found) for language in LANGUAGES}
    links: dict[str, str] = {}
    for language, text in texts.items():
        files = words_of("pages", language)["files"]
        save_text(str(FOLDER / files["studies"]), text)
        links |= {files["studies"]: f"#{language}", f"../{files['report']}": f"../report.html#{language}"}
    save_text(str(FOLDER / "studies.html"), page(texts, FOLDER, links))


def frozen() -> list[str]:
    """The studies that studies/dvc.yaml freezes: their results were made by an earlier version of the pipeline."""
    stages = yaml.safe_load(Path("studies/dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return [name for name, entry in stages.items() if entry.get("frozen")]


class Results(dict[str, Any]):
    """The results of the studies, and published ones, by file name; loaded when asked for."""

    def __missing__(self, name: str) -> Any:
        path = PUBLISHED.get(name, FOLDER / name)
        self[name] = load_json(str(path)) if path.suffix == ".json" else pd.read_csv(path)
        return self[name]


if __name__ == "__main__":
    run_study(main)
