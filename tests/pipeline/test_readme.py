import json
import re
import subprocess


def test_the_readme_quotes_the_verdict_of_the_committed_report(root):
    def quoted(path):
        text = subprocess.run(
            ["git", "show", f"HEAD:{path}"], cwd=root, capture_output=True, check=True, text=True
        ).stdout
        return re.findall(r"(?m)^> .*$", text)

    assert quoted("README.md") == quoted("reports/report.md")
    assert len(quoted("README.md")) == 1


def test_the_readme_names_every_stage(root):
    readme = (root / "README.md").read_text()
    stages = re.findall(r"(?m)^  (\w+):\n    cmd:", (root / "dvc.yaml").read_text())
    assert len(stages) >= 8
    assert all(f"`{stage}`" in readme for stage in stages)


def test_the_readme_quotes_the_ladders_study(root):
    rows = json.loads((root / "reports/studies/ladder.json").read_text())["rows"]
    found = {row["arm"]: row for row in rows if row["n_labels"] == 500}
    errors = [f"{100 * (1 - found[arm]['accuracy']):.2f}" for arm in ("ladder", "ladder_conv")]
    minutes = f"{found['ladder_conv']['minutes']:.0f}"
    quoted = re.search(
        r"falls to ([\d.]+) % with a ladder network.*? ([\d.]+) % with a\nconvolutional student.*? (\d+) minutes",
        (root / "README.md").read_text(),
        re.DOTALL,
    )
    assert list(quoted.groups()) == [*errors, minutes]
