import copy
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from dvc.exceptions import DvcException
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import parse_yaml as dvc_parse
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf.errors import OmegaConfBaseException

from stages.common.errors import BadParameters
from stages.common.params import CORRUPTIONS, DATASETS, Params, load_params


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
        ("dataset", "cifar10", "fashion_mnist, mnist or own"),
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
        ("pretrain.learning_rate", "0.001", "a number above 0, up to 0.1"),
        ("finetune.dropout", 0.95, "a number from 0 to 0.9"),
        ("baseline.dropout", 0.95, "a number from 0 to 0.9"),
        ("temperatures.baseline", 0, "a number above 0, up to 100"),
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"theory.few": 20_000}, "theory.few is 20000; allowed is a number below theory.images, 20000"),
        ({"theory.images": 500, "theory.few": 100}, "theory.codes is .*; allowed is .* at most theory.images, 500"),
        ({"theory.codes": [784, 1000]}, "theory.codes is .*; allowed is a list with a code below 784, .*and one not"),
        ({"theory.codes": [2, 783]}, "theory.codes is .*; allowed is a list with a code below 784, .*and one not"),
        ({"pretrain.models": 4, "replicates": 3}, "pretrain.models is 4; allowed is at most replicates, 3"),
        (
            {"n_labels": 54_211, "split.stratified": True},
            "n_labels is 54211; allowed is at most 54210 of mnist where split.stratified is true",
        ),
    ],
)
def test_values_that_do_not_fit_each_other_are_told(load_with, changes, message):
    with pytest.raises(BadParameters, match=message) as error:
        load_with(changes)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"theory.images": 512},
        {"theory.codes": [783, 784]},
        {"pretrain.models": 3, "replicates": 3},
        {"theory.images": 500, "theory.few": 499, "theory.codes": [500, 784]},
        {"n_labels": 54_210, "split.stratified": True},
        {"n_labels": 60_000, "split.stratified": True, "dataset": "fashion_mnist"},
        {"n_labels": 60_000},
    ],
)
def test_values_that_just_fit_each_other_are_allowed(load_with, changes):
    load_with({"theory.few": 100} | changes)


def test_what_is_said_of_mnist_is_true(mnist):
    said = DATASETS["mnist"]
    assert said["rarest"] == np.bincount(mnist["train_labels"]).min()
    assert (said["train"], said["side"], said["side"]) == mnist["train_images"].shape
    assert (said["labelled"], said["test"]) == (len(mnist["train_labels"]), len(mnist["test_labels"]))
    between = (mnist["train_images"] > 25) & (mnist["train_images"] < 230)
    assert said["mostly_black_or_white"] == (between.mean() <= 0.2)


def test_own_images_that_are_not_there_are_told_of_with_what_to_do(load_with, monkeypatch):
    monkeypatch.delitem(DATASETS, "own", raising=False)
    with pytest.raises(BadParameters, match="allowed is own, once data/sources/own is there: make it with") as error:
        load_with({"dataset": "own"})
    assert len(str(error.value).splitlines()) == 1


OWN = {"classes": ["a", "b", "c"], "train": 900, "labelled": 120, "rarest": 30, "test": 50, "side": 16}


def test_numbers_of_images_are_lowered_to_what_ones_own_data_have(load_with, monkeypatch):
    monkeypatch.setitem(DATASETS, "own", OWN)
    params = load_with({"dataset": "own"})
    assert (params.n_labels, params.theory.images, params.theory.few, params.theory.tasks.images) == (
        120,
        900,
        450,
        900,
    )
    assert params.classes == ["a", "b", "c"]
    # where there are more, what is asked for stays
    params = load_with({"dataset": "own", "n_labels": 60, "theory.images": 300, "theory.few": 100})
    assert (params.n_labels, params.theory.images, params.theory.few) == (60, 300, 100)


def test_codes_suit_the_number_and_the_size_of_ones_own_images(load_with, monkeypatch):
    for side, train, codes in ((25, 160, [2, 8, 32, 1024]), (64, 90, [2, 8, 32, 4096]), (8, 20, [2, 8, 256, 1024])):
        monkeypatch.setitem(DATASETS, "own", OWN | {"side": side, "train": train, "labelled": train})
        assert load_with({"dataset": "own", "theory.codes": [2, 8, 32, 256, 1024]}).theory.codes == codes


def test_bounds_are_those_of_ones_own_data(load_with, monkeypatch):
    monkeypatch.setitem(DATASETS, "own", OWN)
    load_with({"dataset": "own", "split.stratified": True, "n_labels": 90})
    load_with({"dataset": "own", "split.stratified": True, "n_labels": 5000})  # all of them
    with pytest.raises(BadParameters, match="n_labels is 91; allowed is at most 90 of own"):
        load_with({"dataset": "own", "split.stratified": True, "n_labels": 91})
    with pytest.raises(BadParameters, match="a list with a code below 256, the pixels of an image"):
        load_with({"dataset": "own", "theory.codes": [256, 512]})


def test_the_corruptions_allowed_are_the_public_functions_of_their_module():
    from dae.core import corruptions

    found = inspect.getmembers(corruptions, inspect.isfunction)
    assert sorted(CORRUPTIONS) == sorted(name for name, _ in found if not name.startswith("_"))


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


@pytest.mark.parametrize(
    "changes", [{"noise": 0}, {"noise": 1}, {"replicates": 1, "pretrain.models": 1}, {"network.units": [1]}]
)
def test_extremes_that_are_allowed(load_with, changes):
    load_with(changes)


EXPONENTS = {"1e-3": 0.001, "1.0e-3": 0.001, "1E-3": 0.001}


@pytest.mark.parametrize("text", EXPONENTS)
def test_numbers_are_read_as_dvc_reads_them(root, tmp_path, text):
    """YAML 1.2, in which `1e-3`, as DVC writes it for -S, is a number; in YAML 1.1 it is text."""
    path = tmp_path / "params.yaml"
    path.write_text(re.sub("learning_rate: [0-9.]+", f"learning_rate: {text}", (root / "params.yaml").read_text()))
    assert load_params(path).pretrain.learning_rate == EXPONENTS[text]
    assert dvc_parse(path.read_text(), str(path))["pretrain"]["learning_rate"] == EXPONENTS[text]


def test_a_key_that_stands_twice_is_named(root, tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text((root / "params.yaml").read_text() + "\nnoise: 0.1\n")
    with pytest.raises(BadParameters, match='duplicate key "noise"'):
        load_params(path)


# Any YAML gives a valid set of parameters or an error that names the key. What is generated, from the wild to the tame:
# text, structures of any shape, and the committed parameters with some keys set, left out or added.

VALID = dvc_parse((Path(__file__).parents[2] / "params.yaml").read_text(), "params.yaml")


def dotted(values: dict) -> list[str]:
    """All keys of nested mappings, those of sections included."""
    return [
        path
        for key, value in values.items()
        for path in [key, *(f"{key}.{inner}" for inner in (dotted(value) if isinstance(value, dict) else []))]
    ]


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.binary(max_size=5)
    | st.sampled_from([0, 1, -1, 10, 60_000, 2**31, 10**30, 10**400, 0.5, "0.5", "1e-3", "masking", "yes", [], {}])
)
keys = st.sampled_from(dotted(VALID)) | st.text(max_size=10) | st.integers() | st.none() | st.booleans()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=8
)
changes = st.lists(st.tuples(st.sampled_from(dotted(VALID)), st.just(...) | values), min_size=1, max_size=3)
EXAMPLES = {"text": 200, "structures": 300, "changes": 500, "-S": 200}


def assert_valid_or_named(text: str, path: Path) -> Params | BadParameters:
    """Read parameters from a text; an error has one line for each problem, and each names the file."""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        return load_params(path)
    except BadParameters as error:
        for line in str(error).split("\n"):
            assert line.startswith(str(path))
            assert len(line.splitlines()) == 1
        return error


@pytest.fixture(scope="module")
def params_file(tmp_path_factory):
    return tmp_path_factory.mktemp("params") / "params.yaml"


@settings(max_examples=EXAMPLES["text"], deadline=None)
@given(text=st.text() | st.text("[]{}:!&*?-|>#%@\"' \n\tafint019", max_size=40))
@example("[" * 3000)
@example("a: !!int ''")
@example("a: &a [*a]")
@example("a: 0x" + "f" * 8000)
@example("? [1, 2]\n: 3")
@example("noise: !!python/object/apply:os.system [exit]")
def test_any_text_is_valid_or_gives_an_error_that_names_the_file(params_file, text):
    assert isinstance(assert_valid_or_named(text, params_file), BadParameters)


@settings(max_examples=EXAMPLES["structures"], deadline=None)
@given(structure=values)
def test_any_structure_gives_an_error_that_names_its_keys(params_file, structure):
    error = assert_valid_or_named(yaml.dump(structure, Dumper=yaml.SafeDumper), params_file)
    assert isinstance(error, BadParameters)
    if isinstance(structure, dict) and "cannot be read" not in str(error):
        assert all(f"{key} is missing" in str(error) for key in VALID if key not in structure)


@settings(max_examples=EXAMPLES["changes"], deadline=None)
@given(changed=changes)
@example([("pretrain.learning_rate", "1E-1")])  # a text for the YAML that writes it, a number for the one that reads it
def test_changed_parameters_are_valid_or_the_error_names_a_changed_key(params_file, changed):
    structure = copy.deepcopy(VALID)
    for key, value in changed:
        *sections, name = key.split(".")
        target = structure
        for section in sections:
            target = target.get(section, None) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            continue
        if value is ...:
            target.pop(name, None)
        else:
            target[name] = value
    result = assert_valid_or_named(yaml.dump(structure, Dumper=yaml.SafeDumper), params_file)
    if isinstance(result, Params):
        assert result.model_dump() == dvc_parse(params_file.read_text(), str(params_file))
    elif "cannot be read" not in str(result):
        for line in str(result).splitlines():
            named, allowed = line.removeprefix(f"{params_file}: ").split(" is ", 1)
            assert any(named == key or named.startswith(f"{key}.") or key in allowed for key, _ in changed), line


@settings(max_examples=EXAMPLES["-S"], deadline=None)
@given(
    key=st.sampled_from(dotted(VALID)) | st.text("abc.=+~@{}", max_size=8),
    value=st.one_of(
        st.floats(allow_nan=True).map(str),
        st.integers().map(str),
        st.text(max_size=10),
        st.sampled_from(
            ["0.3", "1e-5", "[64,32]", "masking", "null", "true", "{a:1}", "${seed}", "choice(1,2)", "1,2"]
        ),
    ),
)
@example("noise", "0.3")
@example("pretrain.learning_rate", "1e-5")
def test_any_set_param_is_refused_by_dvc_or_by_us_or_valid(root, params_file, key, value):
    """What `dvc exp run -S key=value` does to params.yaml, and what a stage then makes of it."""
    params_file.write_bytes((root / "params.yaml").read_bytes())
    try:
        apply_overrides(str(params_file), [f"{key}={value}"])
    except (DvcException, OmegaConfBaseException):
        return  # DVC has said what is wrong
    result = assert_valid_or_named(params_file.read_text(), params_file)
    if isinstance(result, BadParameters):
        assert key.strip("+~").split("@")[0] in str(result)
