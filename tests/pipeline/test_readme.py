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
