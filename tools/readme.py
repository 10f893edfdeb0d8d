"""Write what other texts quote of the committed results: `make readme`.

The lines of README.md between its two comments, and two tables that the main report shows: reports/methods.csv, of the
studies ladder and pushed and of the times in reports/environment.md, and reports/departures.csv, of the study controls.
The report must not depend on a study, which takes hours, nor on times, so it depends on these files.
"""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stages.common.files import save_table
from stages.common.params import Params, load_params
from studies.pages import frozen

ARMS = ("pushed", "ladder", "ladder_conv")  # of the studies ladder and pushed, which the main report shows
DEPARTURES = ("freezing_first", "freezing", "one_draw_with")  # contrasts of controls that exercise 2 quotes
BLOCK = re.compile(r"(<!-- results.*? -->\n).*(<!-- end of results -->)", re.DOTALL)


def results(reports: Path) -> str:
    """The text of the block: the verdict, its figure, and the errors of ladder and student with as many labels."""
    (verdict,) = re.findall(r"(?m)^> .*$", (reports / "report.md").read_text(encoding="utf-8"))
    rows = json.loads((reports / "studies" / "ladder.json").read_text(encoding="utf-8"))["rows"]
    n_labels = rows[0]["n_labels"]  # the main pipeline's number comes first
    found = {row["arm"]: row for row in rows if row["n_labels"] == n_labels}
    ladder, student = (f"{100 * (1 - found[arm]['accuracy']):.2f}%" for arm in ("ladder", "ladder_conv"))
    return f"""{verdict}

![Test accuracy with and without pre-training, and the paired differences](reports/figures/evaluate/paired.a.en.svg)
![](reports/figures/evaluate/paired.b.en.svg)

Labels and images can also teach a network *together*. With {n_labels} labels the error is then {ladder} with a ladder
network, a denoising autoencoder with lateral connections, and {student} with a convolutional student of that, which
sees its images moved a little, in {found["ladder_conv"]["minutes"]:.0f} minutes of one core
([studies](reports/studies/studies.md#6-labels-and-images-together-the-ladder-network)).
"""


def methods(reports: Path, params: Params, frozen: Sequence[str]) -> pd.DataFrame:
    """The arms of the studies that the main report shows, a row for each of them and each number of labels.

    Args:
        reports: folder of the committed reports.
        params: with which they were made.
        frozen: the studies whose results are old ones; their arms are left out.

    Returns:
        Columns dataset, n_labels, arm, error and its interval from low to high (fractions), draws, minutes. Of the main
        pipeline's arms `without` and `with`, and of a `dae`, only the minutes.
    """
    studies = reports / "studies"
    names = [name for name in ("pushed", "ladder") if name not in frozen]
    found = [json.loads((studies / f"{name}.json").read_text(encoding="utf-8")) for name in names]
    rows = pd.DataFrame([row for one in found for row in one["rows"]])
    trained = pd.concat(pd.read_csv(studies / f"{name}.csv") for name in names)
    draws = trained.groupby(["n_labels", "arm"]).size().rename("draws").reset_index()
    table = pd.DataFrame({"arm": ARMS}).merge(rows).merge(draws).assign(dataset=params.dataset)
    errors = {"error": 1 - table["accuracy"], "low": (1 - table["high"]).clip(lower=0), "high": 1 - table["low"]}
    own = pd.DataFrame(minutes(reports, params).items(), columns=["arm", "minutes"])
    own = own.assign(dataset=params.dataset, n_labels=params.n_labels)
    table = pd.concat([table.assign(**errors), own], ignore_index=True)
    return table[["dataset", "n_labels", "arm", "error", "low", "high", "draws", "minutes"]]


def minutes(reports: Path, params: Params) -> dict[str, float]:
    """Minutes of one core that a classifier of each arm and a dAE took, by the times in reports/environment.md.

    As many trainings as there are cores run at the same time.
    """
    text = (reports / "environment.md").read_text(encoding="utf-8")
    (cores,) = re.findall(r"(\d+) cores", text)
    seconds = {stage: float(found) for stage, found in re.findall(r"(?m)^\| (\w+) \| ([\d.]+) \|", text)}
    runs = params.replicates + min(params.split.repeats, params.replicates)
    trained = {"without": ("baseline", runs), "with": ("finetune", runs), "dae": ("pretrain", params.pretrain.models)}
    return {arm: round(seconds[stage] / math.ceil(n / int(cores)) / 60, 1) for arm, (stage, n) in trained.items()}


def departures(reports: Path, params: Params, frozen: Sequence[str]) -> pd.DataFrame:
    """What departures from the usual advice cost, by the study controls; no rows while its results are old ones.

    Args:
        reports: folder of the committed reports.
        params: with which they were made.
        frozen: the studies whose results are old ones.

    Returns:
        Columns dataset, n_labels, contrast, and the change of the accuracy: mean, low, high (fractions).
    """
    contrasts = json.loads((reports / "studies" / "controls.json").read_text(encoding="utf-8"))["contrasts"]
    rows = [
        {"dataset": params.dataset, "n_labels": params.n_labels, "contrast": name, **contrasts[name]["accuracy"]}
        for name in DEPARTURES
        if "controls" not in frozen
    ]
    return pd.DataFrame(rows, columns=["dataset", "n_labels", "contrast", "mean", "low", "high"])


def main(readme: Path = Path("README.md")) -> None:
    """Replace the block in a README, and save the table."""
    text = readme.read_text(encoding="utf-8")
    readme.write_text(BLOCK.sub(lambda found: found[1] + results(Path("reports")) + found[2], text), encoding="utf-8")
    params = load_params()
    save_table("reports/methods.csv", methods(Path("reports"), params, frozen()))
    save_table("reports/departures.csv", departures(Path("reports"), params, frozen()))


if __name__ == "__main__":
    main()
