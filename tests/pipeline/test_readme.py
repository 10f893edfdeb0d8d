import re


def test_the_readme_quotes_the_verdict_of_the_committed_report(root):
    readme, report = (
        re.findall(r"(?m)^> .*$", (root / path).read_text()) for path in ("README.md", "reports/report.md")
    )
    assert readme == report
    assert len(readme) == 1


def test_the_readme_names_every_stage(root):
    readme = (root / "README.md").read_text()
    stages = re.findall(r"(?m)^  (\w+):\n    cmd:", (root / "dvc.yaml").read_text())
    assert len(stages) >= 8
    assert all(f"`{stage}`" in readme for stage in stages)
