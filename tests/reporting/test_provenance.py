from pathlib import Path

import yaml

from reporting.pages.provenance import names, origins


def test_a_source_is_the_stage_that_declares_it(root, monkeypatch):
    monkeypatch.chdir(root)
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    found = origins("dvc.yaml", Path("reports"), before="report")
    assert {source["stage"] for source in found.values()} == {
        "pretrain",
        "reconstruct",
        "finetune",
        "baseline",
        "evaluate",
        "theory",
        "theory_figures",
        "plain",
    }
    for path, source in found.items():
        outs = set(names(stages[source["stage"]]["outs"]))
        assert len({f"reports/{path}", *map(str, Path("reports", path).parents)} & outs) == 1, path
