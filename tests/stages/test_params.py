import pytest
import yaml

from stages._params import BadParameters, load_params


@pytest.fixture
def load_with(root, tmp_path):
    """Load params.yaml with some keys set, by their dotted names, or left out where the value is ...."""

    def load(changes):
        values = yaml.safe_load((root / "params.yaml").read_text())
        for key, value in changes.items():
            *sections, name = key.split(".")
            target = values
            for section in sections:
                target = target[section]
            if value is ...:
                del target[name]
            else:
                target[name] = value
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(values))
        return load_params(path)

    return load


def test_the_committed_parameters_are_valid(root):
    load_params(root / "params.yaml")


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("noise", 1.5, "a number from 0 to 1"),
        ("noise", -0.1, "a number from 0 to 1"),
        ("noise", "0.5", "a number from 0 to 1"),
        ("noise", True, "a number from 0 to 1"),
        ("noise", float("nan"), "a number from 0 to 1"),
        ("noise", None, "a number from 0 to 1"),
        ("corruption", "blur", "masking, gaussian or salt_and_pepper"),
        ("dataset", "cifar10", "mnist or fashion_mnist"),
        ("seed", -1, "a whole number from 0"),
        ("n_labels", 60_001, "the size of the training set"),
        ("n_labels", 500.0, "a whole number from 10"),
        ("replicates", 0, "a whole number from 1"),
        ("split.stratified", "yes", "true or false"),
        ("network.units", [], "a list of 1 to 8"),
        ("network.units", 512, "a list of 1 to 8"),
        ("network.units", [512, 0], "a list of 1 to 8"),
        ("pretrain", None, "a section with the keys models, tied"),
        ("pretrain.learning_rate", 0, "a number above 0, up to 0.1"),
        ("pretrain.learning_rate", "1e-3", "a number above 0, up to 0.1"),
        ("finetune.dropout", 0.95, "a number from 0 to 0.9"),
        ("evaluate.margin", -0.01, "a number from 0 to 0.5"),
        ("evaluate.confidence", 95, "a number from 0.5 to 0.999"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(load_with, key, value, allowed):
    with pytest.raises(BadParameters) as error:
        load_with({key: value})
    (line,) = str(error.value).splitlines()
    assert key in line
    assert allowed in line
    if not isinstance(value, list):
        assert repr(value) in line


@pytest.mark.parametrize(("key", "neighbour"), [("noize", "noise"), ("finetune.step", "steps"), ("pretrain.x", "tied")])
def test_an_unknown_key_is_named_with_those_that_are_known(load_with, key, neighbour):
    with pytest.raises(BadParameters, match=rf"{key} is not a known key; allowed here are .*{neighbour}"):
        load_with({key: 1})


def test_all_problems_are_told_at_once(load_with):
    with pytest.raises(BadParameters) as error:
        load_with({"noise": 2, "finetune.steps": 0, "seed": ..., "colour": "red"})
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert any("seed is missing" in line for line in lines)


@pytest.mark.parametrize("text", ["", "- 1", "noise: [", "noise: !!python/object:os.system {}", "a: 1\x00", "5"])
def test_what_is_no_mapping_gives_one_clear_line(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(BadParameters) as error:
        load_params(path)
    assert str(path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadParameters, match=r"nowhere\.yaml"):
        load_params(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(("key", "value"), [("noise", 0), ("noise", 1), ("replicates", 1), ("network.units", [1])])
def test_extremes_that_are_allowed(load_with, key, value):
    load_with({key: value})
