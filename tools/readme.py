"""Write the results that README.md quotes, between its two comments, from the committed reports: `make readme`."""

import json
import re
from pathlib import Path

BLOCK = re.compile(r"(<!-- results.*? -->\n).*(<!-- end of results -->)", re.DOTALL)


def results(reports: Path) -> str:
    """The text of the block: the verdict, its figure, and the errors of ladder and student with as many labels."""
    (verdict,) = re.findall(r"(?m)^> .*$", (reports / "report.md").read_text(encoding="utf-8"))
    rows = json.loads((reports / "studies" / "ladder.json").read_text(encoding="utf-8"))["rows"]
    n_labels = rows[0]["n_labels"]  # the main pipeline's number comes first
    found = {row["arm"]: row for row in rows if row["n_labels"] == n_labels}
    ladder, student = (f"{100 * (1 - found[arm]['accuracy']):.2f} %" for arm in ("ladder", "ladder_conv"))
    return f"""{verdict}

![Test accuracy with and without pre-training, and the paired differences](reports/figures/evaluate/paired.en.png)

Labels and images can also teach a network *together*. With {n_labels} labels the error is then {ladder} with a ladder
network, a denoising autoencoder with lateral connections, and {student} with a convolutional student of that, which
sees its images moved a little, in {found["ladder_conv"]["minutes"]:.0f} minutes of one core
([studies](reports/studies/studies.md#6-beyond-pre-training)).
"""


def main(readme: Path = Path("README.md")) -> None:
    """Replace the block in a README."""
    text = readme.read_text(encoding="utf-8")
    readme.write_text(BLOCK.sub(lambda found: found[1] + results(Path("reports")) + found[2], text), encoding="utf-8")


if __name__ == "__main__":
    main()
