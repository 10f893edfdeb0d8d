from benchmarks.harness import Run
from benchmarks.parts import startup
from benchmarks.projects import Project, stage_seconds


def test_a_stage_takes_until_the_next_one_starts():
    lines = [(1.0, "Running stage 'split':\n"), (2.0, "> python\n"), (4.0, "Running stage 'pretrain':\n")]
    assert stage_seconds(Run(9.0, lines)) == {"split": 3.0, "pretrain": 5.0}
    assert stage_seconds(Run(1.0, [(0.5, "Data and pipelines are up to date.\n")])) == {}


def test_stages_that_train_are_told_from_the_others(root):
    stages = Project(root, {}).stages()
    training = {"pretrain", "reconstruct", "finetune", "baseline", "theory", "plain", "demo"}
    assert {name for name, stage in stages.items() if startup.trains(stage)} == training
