import re


def test_the_readme_names_every_stage(root):
    readme = (root / "README.md").read_text()
    stages = re.findall(r"(?m)^  (\w+):\n    cmd:", (root / "dvc.yaml").read_text())
    assert len(stages) >= 8
    assert all(f"`{stage}`" in readme for stage in stages)
