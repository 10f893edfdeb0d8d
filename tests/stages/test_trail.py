import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stages._trail import sources


@pytest.mark.parametrize(
    ("pipeline", "folder", "until", "pages"),
    [
        ("dvc.yaml", "reports", "report", ["report.md", "relatorio.md", "report.html"]),
        ("studies/dvc.yaml", "reports/studies", "pages", ["studies.md", "estudos.md", "studies.html"]),
    ],
)
def test_the_committed_pages_tell_where_everything_comes_from(root, monkeypatch, pipeline, folder, until, pages):
    """Every file that a stage put below the folder, with its checksum, and none of a later stage."""
    monkeypatch.chdir(root)
    made = sources(pipeline, Path(folder), until)
    assert not set(pages) & set(made)
    for page in pages:
        text = (root / folder / page).read_text()
        for path, source in made.items():
            md5 = hashlib.md5((root / folder / path).read_bytes()).hexdigest()
            assert source["md5"] == md5
            assert path in text
            assert f"`{md5[:8]}`" in text or f"<code>{md5[:8]}</code>" in text
            assert ", ".join(source["params"]) in text
        figures = {path for path in made if re.search(r"\.(en|pt)\.png$", path)}
        if page.endswith(".md"):
            language = "pt" if page in ("relatorio.md", "estudos.md") else "en"
            shown = set(re.findall(r"(?m)^!\[.+\]\((.+\.png)\)", text))
            assert shown == {path for path in figures if path.endswith(f".{language}.png")}


def test_a_source_is_the_stage_that_declares_it(root, monkeypatch):
    monkeypatch.chdir(root)
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    found = sources("dvc.yaml", Path("reports"), "report")
    assert {source["stage"] for source in found.values()} == {
        "pretrain",
        "reconstruct",
        "finetune",
        "baseline",
        "evaluate",
        "theory",
    }
    for path, source in found.items():
        declared = stages[source["stage"]].get("outs", []) + stages[source["stage"]].get("metrics", [])
        outs = {out if isinstance(out, str) else next(iter(out)) for out in declared}
        assert len({f"reports/{path}", *map(str, Path("reports", path).parents)} & outs) == 1, path


def test_the_environment_is_written_on_request(root, tmp_path):
    for name in ("dvc.yaml", "studies/dvc.yaml", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((root / name).read_text())
    (tmp_path / "data" / "runs").mkdir(parents=True)
    (tmp_path / "data/runs/theory.json").write_text(
        json.dumps({"seconds": 12.5, "peak_mib": 1234, "seconds_tied": 3.5})
    )
    command = [sys.executable, "-m", "stages._environment"]
    output = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(root)}, check=True, capture_output=True, text=True
    ).stdout
    assert (tmp_path / "reports" / "environment.md").read_text() == output.removesuffix("\n")
    assert "| theory | 12.5 | 1,234 |" in output
    assert "| theory: seconds_tied | 3.5 | |" in output
    assert "| split |" not in output
    assert re.search(r"Python 3\.\d+\.\d+; .*dvc 3\.", output)
