"""Images of one's own: scikit-learn's digits as .npz, scikit-image's faces as a folder, and all that may be wrong."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML
from skimage.data import lfw_subset
from sklearn.datasets import load_digits

from dae.sampling import UNLABELLED
from stages.common.errors import StageError
from tools import import_images

TARGET = Path("data/sources/own")


@pytest.fixture(scope="module")
def empty(root, tmp_path_factory) -> Path:
    """An empty project under git and DVC, with this one's .gitignore files."""
    folder = tmp_path_factory.mktemp("empty") / "project"
    for name in (".gitignore", "data/.gitignore", "data/sources/.gitignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, folder / name)
    for command in (["git", "init", "--quiet"], [sys.executable, "-m", "dvc", "init", "--quiet"]):
        subprocess.run(command, cwd=folder, check=True)
    return folder


@pytest.fixture
def here(empty, tmp_path, monkeypatch) -> Path:
    """A copy of that project; it is the working folder."""
    folder = tmp_path / "project"
    shutil.copytree(empty, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    """Import a source; returns what was printed."""

    def call(*arguments) -> str:
        monkeypatch.setattr(sys, "argv", ["import_images", *map(str, arguments)])
        import_images.main()
        return capsys.readouterr().out

    return call


@pytest.fixture
def refused(run):
    """Import a source that is refused; returns the error's one line, after a check that nothing was written."""

    def call(*arguments) -> str:
        with pytest.raises(StageError) as error:
            run(*arguments)
        assert not TARGET.exists()
        assert not TARGET.with_name("own.dvc").exists()
        (line,) = str(error.value).splitlines()
        return line

    return call


def digits(path="digits.npz", **changes) -> str:
    found = load_digits()
    np.savez(path, **{"x_train": found.images, "y_train": found.target} | changes)
    return path


def faces(folder="faces", n=20, suffix=".png") -> Path:
    """Pictures of faces and of backgrounds."""
    images = np.round(255 * lfw_subset()).astype(np.uint8)
    for name, some in (("face", images[:n]), ("back_ground", images[100 : 100 + n])):
        (Path(folder) / "train" / name).mkdir(parents=True)
        for i, image in enumerate(some):
            Image.fromarray(image).save(Path(folder, "train", name, f"{i}{suffix}"))
    return Path(folder)


def loaded() -> tuple[dict, dict[str, np.ndarray]]:
    with np.load(TARGET / "images.npz", allow_pickle=False) as archive:
        return YAML(typ="safe").load(TARGET / "dataset.yaml"), dict(archive)


def test_digits_of_scikit_learn(here, run):
    said = run(digits())
    entry, arrays = loaded()
    found = load_digits()
    assert entry["classes"] == [str(digit) for digit in range(10)]
    assert (entry["train"], entry["labelled"], entry["test"], entry["side"]) == (1438, 1438, 359, 8)
    assert entry["rarest"] == np.bincount(arrays["train_labels"]).min()
    # each image is there once, with its label, and as bright as before
    images = np.concatenate([arrays["train_images"], arrays["test_images"]])
    labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    bright = np.round(found.images * 255 / 16).astype(np.uint8)
    assert sorted((*image.ravel(), label) for image, label in zip(images, labels, strict=True)) == sorted(
        (*image.ravel(), label) for image, label in zip(bright, found.target, strict=True)
    )
    # a fifth of each class is held out, and the training images are in random order
    assert np.abs(np.bincount(arrays["test_labels"]) - np.bincount(found.target) / 5).max() <= 0.5
    assert np.bincount(arrays["train_labels"][:300]).min() > 10
    assert "values from 0 to 16 were scaled to 0 to 255" in said
    assert "359 labelled ones were held out at random" in said
    assert Image.open("data/own.png").size[0] > 100


def test_more_labels_asked_than_there_are_is_told(here, run):
    Path("params.yaml").write_text("n_labels: 1439\n")
    assert "params.yaml asks for 1439 labels (n_labels); there are 1438, and all will be used" in run(digits())
    for text in ("n_labels: 1438\n", "n_labels: many\n", "seed: [\n"):
        Path("params.yaml").write_text(text)
        assert "params.yaml asks" not in run(digits())


def test_two_imports_give_the_same_bytes_and_another_seed_other_test_images(here, run):
    contents = []
    for seed in (0, 0, 1):
        run(digits(), "--seed", seed)
        contents.append((TARGET / "images.npz").read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_git_takes_the_checksum_and_no_image(here, run):
    run(digits())
    subprocess.run(["git", "add", "--all"], check=True)
    names = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    assert "data/sources/own.dvc" in names
    assert not [name for name in names if "own" in name and name != "data/sources/own.dvc"]


def test_dvc_gives_the_images_back(here, run):
    run(digits())
    before = (TARGET / "images.npz").read_bytes()
    shutil.rmtree(TARGET)
    subprocess.run([sys.executable, "-m", "dvc", "checkout", "--quiet"], check=True)
    assert (TARGET / "images.npz").read_bytes() == before


def test_a_folder_with_test_and_unlabelled_images(here, run):
    source = faces(n=30)
    shutil.move(source / "train", source / "test")
    for name in ("face", "back_ground"):
        (source / "train" / name).mkdir(parents=True)
        for i in range(20):
            shutil.move(source / "test" / name / f"{i}.png", source / "train" / name)
    (source / "unlabelled" / "more").mkdir(parents=True)
    Image.fromarray(np.round(255 * lfw_subset()[50]).astype(np.uint8)).save(source / "unlabelled" / "more" / "one.png")
    for name in ("train/face/.DS_Store", "train/face/Thumbs.db", "unlabelled/.cache/one.png"):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text("left behind by a desktop")
    run(source, "--title", "Faces")
    entry, arrays = loaded()
    assert entry["title"] == "Faces"
    assert entry["classes"] == ["back ground", "face"]
    assert (entry["train"], entry["labelled"], entry["rarest"], entry["test"]) == (41, 40, 20, 20)
    assert (arrays["train_labels"] == UNLABELLED).sum() == 1
    expected = np.round(255 * lfw_subset()[20]).astype(np.uint8)
    assert np.array_equal(arrays["test_images"][arrays["test_labels"] == 1][0], expected)


def test_colours_sizes_and_shapes_are_told_of(here, run):
    source = faces()
    Image.new("RGB", (90, 30), (255, 0, 0)).save(source / "train" / "face" / "wide.png")
    said = run(source)
    entry, _ = loaded()
    assert entry["side"] == 64
    assert "images stored in colour, turned to grey: 1" in said
    assert "images scaled to 64 pixels: 41" in said
    assert "images padded to a square, with the grey of their border: 1" in said
    assert "images of one even grey: 1" in said


def test_unlabelled_images_and_names_in_an_npz(here, run):
    found = load_digits()
    target = np.where(np.arange(len(found.target)) % 3 == 0, -1, found.target)
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    more = np.random.default_rng(0).integers(0, 17, (5, 8, 8)).astype(float)
    said = run(digits(y_train=target, classes=names, x_unlabelled=more, notes=np.array([{}], object)))
    entry, arrays = loaded()
    assert f"{(target == -1).sum() + 5} without" in said
    assert entry["classes"] == names.tolist()
    assert (arrays["train_labels"] == UNLABELLED).sum() == (target == -1).sum() + 5
    assert entry["labelled"] == (arrays["train_labels"] != UNLABELLED).sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: shutil.rmtree(folder), "there is no such folder or file"),
        (lambda folder: shutil.rmtree(folder / "train"), "it has no folder train"),
        (lambda folder: shutil.rmtree(folder / "train" / "face"), "it has 1 classes; allowed are 2 to 100"),
        (lambda folder: (folder / "train" / "empty").mkdir(), "faces/train/empty: this class has no images"),
        (
            lambda folder: (folder / "train" / "face" / "0.png").write_text(""),
            "no images, or are damaged: 1 (faces/train",
        ),
        (lambda folder: (folder / "train" / "face" / "a.txt").write_text("a"), "damaged: 1 (faces/train/face/a.txt)"),
        (lambda folder: (folder / "test").write_text("a"), "faces/test: this is no folder"),
        (
            lambda folder: Image.fromarray(np.eye(8, dtype=np.float32)).save(folder / "train" / "face" / "a.tif"),
            "more than 16 bits: 1 (faces/train/face/a.tif)",
        ),
        (
            lambda folder: Image.fromarray(np.full((8, 8), 2**16, np.int32)).save(folder / "train" / "face" / "a.tif"),
            "more than 16 bits: 1 (faces/train/face/a.tif)",
        ),
        (lambda folder: (folder / "train" / "face").rename(folder / "train" / "a\nb"), "not allowed: 1 ('a\\nb')"),
        (
            lambda folder: shutil.copytree(folder / "train" / "face", folder / "test" / "face"),
            "no test images: 1 (back_ground)",
        ),
        (lambda folder: (folder / "train" / "face").rename(folder / "train" / "<b>"), "not allowed: 1 (<b>)"),
        (
            lambda folder: [file.unlink() for file in (folder / "train" / "face").iterdir() if file.stem != "0"],
            "classes with one labelled image: 1 (face)",
        ),
        (
            lambda folder: [file.unlink() for file in folder.rglob("*.png") if int(file.stem) > 4],
            "8 labelled training images; 10 are needed",
        ),
    ],
)
def test_a_folder_that_will_not_do(here, refused, change, message):
    source = faces()
    change(source)
    assert message in refused(source)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((3, 8, 8), np.uint8)}, "x_train has 3 images, y_train 1797 labels"),
        ({"x_train": np.zeros((1797, 64), np.uint8)}, "x_train has the shape (1797, 64)"),
        ({"x_train": np.full((1797, 8, 8), np.nan)}, "values that are not finite"),
        ({"x_train": np.full((1797, 8, 8), -1)}, "x_train has the value -1; allowed are values from 0"),
        ({"x_train": np.zeros((1797, 8, 8))}, "all pixels are 0"),
        ({"x_train": np.full((1797, 8, 8), "a")}, "x_train has the type <U1; allowed are numbers"),
        ({"y_train": np.zeros(1797)}, "y_train has the type float64"),
        ({"y_train": np.full(1797, -2)}, "y_train has the label -2"),
        ({"y_train": np.zeros(1797, int)}, "it has 1 classes"),
        ({"y_train": np.arange(1797)}, "it has 1797 classes"),
        ({"x_test": np.zeros((2, 8, 8))}, "it has no y_test"),
        ({"x_test": np.ones((2, 8, 8)), "y_test": np.array([0, -1])}, "y_test has the label -1"),
        ({"x_test": np.ones((2, 8, 8)), "y_test": np.array([0, 12])}, "no test images: 9 (1, 2, 3, 4, 5, 6, 7, 8, 9)"),
        ({"y_test": np.zeros(1797, int)}, "it has no x_test; it has x_train, y_train, y_test"),
        ({"x_unlabelled": np.zeros((2, 8, 8), np.uint8)}, "x_train: not uint8, as other images are"),
        ({"classes": np.array(["a", "b"])}, "classes must be 10 names"),
        (
            {"y_train": np.where(np.arange(1797) < 99, "cat", "dog"), "classes": np.array(["cat", "dogs"])},
            "classes and y_train must have the same names",
        ),
        ({"classes": np.array(["a"] * 10)}, "names that two classes have: 1 (a)"),
    ],
)
def test_an_npz_that_will_not_do(here, refused, changes, message):
    assert message in refused(digits(**changes))


def test_texts_keep_their_own_class(here):
    label = np.where(load_digits().target < 5, "cat", "dog")
    source = import_images.find(Path(digits(y_train=label, classes=np.array(["dog", "cat"]))))
    assert [source.classes[number] for number in source.train.labels] == label.tolist()


def test_numbers_in_names_are_sorted_by_value_in_any_order_of_the_files():
    names = ["1", "01", "2", "10", "a2", "a10", "²"]
    for given in (names, names[::-1]):
        assert sorted(given, key=import_images.natural) == ["01", "1", "2", "10", "a2", "a10", "²"]


@pytest.mark.parametrize("largest", [1, 16, 255])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.uint16])
def test_values_of_any_scale_give_the_same_images(here, largest, kind):
    found = np.repeat(load_digits().images >= 8, 2, axis=2)
    source = import_images.find(Path(digits(x_train=(found * largest).astype(kind))))
    assert all(np.array_equal(source.train.read(i), 255 * found[i]) for i in range(20))


def test_dark_bytes_are_kept_and_told_of(here):
    source = import_images.find(Path(digits(x_train=load_digits().images.astype(np.uint8))))
    assert np.array_equal(source.train.read(0), load_digits().images[0])
    assert "the largest value is 16 of 255" in source.notes[0]


@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_nothing_is_seen(here, ink):
    alpha = np.round(load_digits().images * 255 / 16).astype(np.uint8)
    images = np.stack([np.full_like(alpha, ink)] * 3 + [alpha], axis=3)
    source = import_images.find(Path(digits(x_train=images)))
    expected = alpha if ink else 255 - alpha
    assert np.abs(np.array([source.train.read(i) for i in range(20)]) - expected[:20].astype(int)).max() <= 1


@pytest.mark.parametrize(
    "name", ["a.png", "a.bmp", "a.gif", "a.tiff", "a.webp", "a.pgm", "deep.png", "deep.tiff", "deep.pgm"]
)
def test_pictures_of_every_format_give_the_same_image(here, name):
    source, grey = faces(), np.round(255 * lfw_subset()[0]).astype(np.uint8)
    file = source / "train" / "face" / name
    Image.fromarray(grey.astype(np.uint16) * 257 if "deep" in name else grey).save(file, lossless=True)
    train = import_images.find(source).train
    assert np.array_equal(train.read(train.names.index(str(file))), grey)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no archive"])
def test_a_damaged_npz(here, refused, content):
    Path("digits.npz").write_bytes(content)
    assert "cannot be read as .npz" in refused("digits.npz")


def test_objects_in_an_npz_are_not_read(here, refused):
    assert "cannot be read as .npz" in refused(digits(x_train=np.array([{}], object)))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--size", 7, "--size 7: allowed is 8 to 64"),
        ("--size", 65, "--size 65: allowed is 8 to 64"),
        ("--size", "x", "invalid int value"),
        ("--test-share", 0.6, "--test-share 0.6: allowed is 0.05 to 0.5"),
        ("--title", "a|b", "--title a|b: allowed are 1 to 40 characters"),
        ("--seed", -1, "--seed -1: allowed is 0 or more"),
    ],
)
def test_options_out_of_range(here, refused, option, value, message):
    assert message in refused(digits(), option, value)


def test_the_same_image_for_training_and_test_is_refused_unless_allowed(here, run, refused):
    found = load_digits()
    source = digits(x_test=found.images[:20], y_test=found.target[:20])
    assert "training images too: 20 (x_test[0] = x_train[0], x_test[1] = x_train[1]," in refused(source)
    assert "training images too: 20" in run(source, "--allow-duplicates")


def test_a_failed_import_leaves_the_old_one(here, run, monkeypatch):
    run(digits())
    before = (TARGET / "images.npz").read_bytes()
    with pytest.raises(StageError):
        run(digits(y_train=np.zeros(1797, int)))

    def full(path, **arrays):
        Path(path).parent.mkdir()
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(import_images, "save_arrays", full)
    with pytest.raises(StageError, match="cannot be written: No space left"):
        run(digits(), "--seed", 3)
    assert (TARGET / "images.npz").read_bytes() == before
    monkeypatch.undo()
    monkeypatch.chdir(here)
    rename = Path.rename

    def broken(path, target):
        if path.name == ".partial-own":
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", broken)
    monkeypatch.setattr(sys, "argv", ["import_images", digits(), "--seed", "3"])
    with pytest.raises(StageError, match="cannot be written: Input/output error"):
        import_images.main()
    assert (TARGET / "images.npz").read_bytes() == before

    monkeypatch.setattr(Path, "rename", rename)
    Path(".dvc/config").write_text("[no section")
    with pytest.raises(StageError, match="nothing is imported: `dvc add data/sources/own` fails: "):
        import_images.main()
    assert (TARGET / "images.npz").read_bytes() == before
    assert sorted(path.name for path in TARGET.parent.iterdir()) == [".gitignore", "own", "own.dvc"]


def test_a_first_import_that_dvc_refuses_leaves_nothing(here, refused):
    Path(".dvc/config").write_text("[no section")
    assert "nothing is imported" in refused(digits())


def test_another_folder_than_the_projects_is_refused(here, refused):
    shutil.rmtree(".dvc")
    assert refused(digits()) == "there is no .dvc here; run this command in the project's folder"


def test_names_with_dollars_are_drawn(here):
    images = np.zeros((2, 8, 8), np.uint8)
    import_images.draw_sheet({"train_images": images, "train_labels": np.arange(2)}, ["a$b_{$", "c"])
    assert Path("data/own.png").is_file()


def test_what_a_killed_import_leaves_is_ignored_by_git(here):
    for name in (".partial-own", ".old-own"):
        (TARGET.with_name(name)).mkdir()
        (TARGET.with_name(name) / "images.npz").touch()
    listed = ["git", "status", "--porcelain", "--untracked-files=all", "data/sources"]
    assert "images.npz" not in subprocess.run(listed, capture_output=True, text=True, check=True).stdout
