import json
import re
import subprocess
import sys


def test_the_environment_is_written_on_request(root, tmp_path):
    for name in ("dvc.yaml", "studies/dvc.yaml", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((root / name).read_text())
    (tmp_path / "data" / "runs").mkdir(parents=True)
    (tmp_path / "data/runs/theory.json").write_text(
        json.dumps({"seconds": 12.5, "peak_mib": 1234, "seconds_tied": 3.5})
    )
    command = [sys.executable, "-m", "tools.environment"]
    output = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(root)}, check=True, capture_output=True, text=True
    ).stdout
    assert (tmp_path / "reports" / "environment.md").read_text() == output.removesuffix("\n")
    assert "| theory | 12.5 | 1,234 |" in output
    assert "| theory: seconds_tied | 3.5 | |" in output
    assert "| split |" not in output
    assert re.search(r"Python 3\.\d+\.\d+; .*dvc 3\.", output)
