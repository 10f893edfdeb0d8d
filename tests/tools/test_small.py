import re

import pytest
import yaml

from stages.common.params import load_params
from studies._params import check, load_study_params
from tools import small


def test_both_files_get_the_small_settings_and_keep_their_comments(root, tmp_path):
    for name in (*small.SMALL, "docs/plain_keras.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((root / name).read_text())
    small.main(tmp_path)
    params, study_params = load_params(tmp_path / "params.yaml"), load_study_params(tmp_path / "studies/params.yaml")
    check(params, study_params)
    assert (params.replicates, params.network.units, study_params.tune.space.steps) == (2, [64, 32], [20, 100])
    assert (params.finetune.steps, params.baseline.steps) == (200, 100)
    assert (study_params.tune.configurations, study_params.tune.near) == (2, [1])
    for name in small.SMALL:
        before, after = ((folder / name).read_text() for folder in (root, tmp_path))
        assert after.count("#") == before.count("#")
        assert list(yaml.safe_load(after)) == list(yaml.safe_load(before))
    script = (tmp_path / "docs/plain_keras.py").read_text()
    assert re.findall(r"epochs=\w+", script) == ["epochs=1"] * 2
    assert script.count("(64, 32, 16)") == 2 and "(32, 64)" in script and "batch_size=256" in script


def test_a_key_that_is_not_there_is_an_error(root, tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text((root / "params.yaml").read_text())
    with pytest.raises(KeyError, match=r"params\.yaml has no key finetune\.stepz"):
        small.change(path, {"finetune.stepz": 1})
