import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from stages._trail import sources


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
