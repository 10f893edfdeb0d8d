"""Take images of your own for the pipeline: python -m tools.import_images SOURCE; makes `data/sources/own`.

SOURCE is a folder, with `train/CLASS/*`, and perhaps `unlabelled/*` and `test/CLASS/*`; or a file of NumPy, .npz, with
`x_train` and `y_train`, and perhaps `x_test` and `y_test`, `x_unlabelled` and `classes` (names). In `y_train`, -1
stands for no label. Without test images a share of the labelled ones is held out.

Colour is turned to grey. Transparent pixels become black if the ink is light, else white. Values in an .npz that are
not uint8 are scaled so that the largest becomes 255. Each image is scaled to the same longer side, and padded to a
square with the grey of its border.
"""

import argparse
import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from ruamel.yaml import YAML
from tqdm import tqdm

from dae.pictures import as_square
from dae.sampling import UNLABELLED, count_classes
from reporting.common.figures import image_rows
from stages.common.errors import StageError
from stages.common.files import atomic_write, save_arrays
from stages.common.params import OWN
from tools.predict import Parser, as_grey, read_grey

TARGET, SHEET = Path("data/sources", OWN), Path("data", f"{OWN}.png")
LEAST_SIDE, LARGEST_SIDE = 8, 64  # pixels
MOST_CLASSES, LEAST_LABELLED = 100, 10
SHARE = (0.05, 0.5)  # of the labelled images that may be held out
NAME = re.compile(r"[^\r\n<>|*_`\[\]\\]{1,40}")  # it stands in texts that are Markdown and HTML
ON_SHEET = (10, 30)  # images of a class, and classes, on the contact sheet
KEYS: tuple[str, ...] = ("x_train", "y_train", "x_test", "y_test", "x_unlabelled", "classes")  # of an .npz
GREYS = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")  # Pillow's modes without colour


@dataclass(frozen=True)
class Part:
    """The training or the test images of a source.

    Attributes:
        names: of each image, for messages.
        labels: uint8 of shape (n,), numbers of the classes or UNLABELLED.
        read: a function that returns image i in grey, uint8 of shape (height, width).
    """

    names: list[str]
    labels: np.ndarray
    read: Callable[[int], np.ndarray]


@dataclass
class Source:
    """What was found in a source; `notes` are for the summary, and `longest` is the longest side of its images."""

    classes: list[str]
    train: Part
    test: Part | None
    longest: int
    notes: list[str]


def main() -> None:
    """Read and check the images, write them, let DVC hold them, and print a summary.

    Raises:
        StageError: the command or the images cannot be used; then nothing is written.
    """
    parser = Parser(prog="python -m tools.import_images", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", metavar="SOURCE", type=Path)
    parser.add_argument("--title", help="what the reports call these images; default: the name of SOURCE")
    parser.add_argument("--size", type=int, help=f"height and width to scale to, {LEAST_SIDE} to {LARGEST_SIDE} pixels")
    parser.add_argument("--test-share", type=float, default=0.2, help="share to hold out; default: %(default)s")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the images held out, and of the order; default: %(default)s"
    )
    parser.add_argument(
        "--allow-duplicates", action="store_true", help="allow the same image for training and for test"
    )
    options = parser.parse_args()
    require(Path(".dvc").is_dir(), "there is no .dvc here; run this command in the project's folder")
    title = options.title or options.source.resolve().stem.replace("_", " ")
    require(is_name(title), f"--title {title}: allowed are 1 to 40 characters, none of < > | * _ ` [ ] \\")
    fits = options.size is None or LEAST_SIDE <= options.size <= LARGEST_SIDE
    require(fits, f"--size {options.size}: allowed is {LEAST_SIDE} to {LARGEST_SIDE}")
    fits = SHARE[0] <= options.test_share <= SHARE[1]
    require(fits, f"--test-share {options.test_share}: allowed is {SHARE[0]} to {SHARE[1]}")
    require(options.seed >= 0, f"--seed {options.seed}: allowed is 0 or more")

    source = find(options.source)
    check_classes(options.source, source, options.test_share)
    side = options.size or min(max(source.longest, LEAST_SIDE), LARGEST_SIDE)
    arrays, names = prepared(source, side)
    rng = np.random.default_rng(options.seed)
    if source.test is None:
        hold_out(arrays, names, options.test_share, rng, source.notes)
    check_duplicates(arrays, names, options.allow_duplicates, source.notes)
    order = rng.permutation(len(arrays["train_labels"]))  # so that the first n are a fair sample
    for key in ("train_images", "train_labels"):
        arrays[key] = arrays[key][order]
    entry = described(title, source.classes, arrays)
    write(arrays, entry)
    draw_sheet(arrays, source.classes)
    for line in (*summary(entry), *source.notes, *fewer_than_asked(entry)):
        print(line)
    print(f"a few of each class: {SHEET}\nnow set `dataset: {OWN}` in params.yaml, and run `dvc repro`")


def require(holds: bool, message: str) -> None:
    """Raise StageError with the message unless a condition holds."""
    if not holds:
        raise StageError(message)


def some(names: Sequence[str], most: int = 3) -> str:
    """The number of names and the first few of them, for a message."""
    shown = [name if name.isprintable() else repr(name) for name in names[:most]]
    return f"{len(names)} ({', '.join(shown)}{', ...' if len(names) > most else ''})"


def is_name(text: str) -> bool:
    """Whether a text may be a title or the name of a class."""
    return bool(NAME.fullmatch(text)) and text.isprintable()


def find(path: Path) -> Source:
    """What is in a folder or in an .npz file.

    Raises:
        StageError: it is missing, or is neither; or see `from_folder` and `from_npz`.
    """
    require(path.exists(), f"{path}: there is no such folder or file")
    require(
        path.is_dir() or path.suffix.lower() == ".npz", f"{path}: expected is a folder, or a file that ends with .npz"
    )
    return from_folder(path) if path.is_dir() else from_npz(path)


def from_folder(path: Path) -> Source:
    """The images of a folder.

    Raises:
        StageError: a folder is missing or empty, or files are no images that can be read.
    """
    require((path / "train").is_dir(), f"{path}: it has no folder train, with a folder of images for each class")
    classes = class_names(path / "train")
    check_number(path, classes)
    files, labels = [], []
    for number, name in enumerate(classes):
        found = files_in(path / "train" / name)
        require(bool(found), f"{path / 'train' / name}: this class has no images")
        files += found
        labels += [number] * len(found)
    beside = path / "unlabelled"
    unlabelled = sorted(
        file
        for file in beside.rglob("*")
        if is_picture(file) and not any(part[0] == "." for part in file.relative_to(beside).parts)
    )
    files += unlabelled
    labels += [UNLABELLED] * len(unlabelled)
    test_files, test_labels = [], []
    if (path / "test").exists():
        require((path / "test").is_dir(), f"{path / 'test'}: this is no folder")
        check_same(path, classes, class_names(path / "test"))
        for number, name in enumerate(classes):
            found = files_in(path / "test" / name)
            require(bool(found), f"{path / 'test' / name}: this class has no images")
            test_files += found
            test_labels += [number] * len(found)
    longest, colourful = look_at(files + test_files)
    notes = [f"images stored in colour, turned to grey: {colourful}"] * (colourful > 0)

    def part(files: list[Path], labels: list[int]) -> Part:
        names = [str(file) for file in files]
        return Part(names, np.array(labels, np.uint8), lambda i: read_grey(names[i]))

    shown = [name.replace("_", " ") for name in classes]
    return Source(shown, part(files, labels), part(test_files, test_labels) if test_files else None, longest, notes)


def check_number(path: Path, classes: Sequence) -> None:
    """Raise StageError if there are too few or too many classes."""
    fits = 2 <= len(classes) <= MOST_CLASSES
    require(fits, f"{path}: it has {len(classes)} classes; allowed are 2 to {MOST_CLASSES}")


def check_same(path: Path, train: Sequence, test: Sequence) -> None:
    """Raise StageError unless the training and the test images have the same classes."""
    for one, other, place, lacking in ((train, test, "training", "test"), (test, train, "test", "training")):
        alone = [str(name) for name in one if name not in other]
        require(
            not alone,
            f"{path}: classes with {place} images and no {lacking} images: {some(alone, 10)}; add or remove some",
        )


def class_names(folder: Path) -> list[str]:
    """The names of the folders in a folder, numbers by their value."""
    return sorted((one.name for one in folder.iterdir() if one.is_dir() and one.name[0] != "."), key=natural)


def natural(name: str) -> tuple:
    """A key that sorts names, and the numbers in them by their value; the name itself settles a tie of 1 and 01."""
    words = [word for word in re.split(r"(\d+)", name) if word]
    return [(0, int(word), "") if word.isdecimal() else (1, 0, word) for word in words], name


def is_picture(file: Path) -> bool:
    """Whether a file is not one of those that desktops leave behind."""
    return file.is_file() and file.name[0] != "." and file.name.lower() not in ("thumbs.db", "desktop.ini")


def files_in(folder: Path) -> list[Path]:
    """The files of a folder, in the order of their names."""
    return sorted(file for file in folder.iterdir() if is_picture(file))


def look_at(files: Sequence[Path]) -> tuple[int, int]:
    """Read all images once: returns the longest side in pixels, and how many are stored in colour.

    Raises:
        StageError: files cannot be read as images, or their pixels have more than 16 bits.
    """
    longest, colourful, bad, deep = 0, 0, [], []
    for file in tqdm(files, unit="image", desc="checking", disable=None):
        try:
            with Image.open(file) as image:
                image.load()
                longest = max(longest, *image.size)
                colourful += image.mode not in GREYS
                # in this mode Pillow reads greys of 16 bits, too, such as those of .pgm
                large = image.mode == "I" and np.any(np.asarray(image) != np.asarray(image).astype(np.uint16))
                if image.mode == "F" or large:
                    deep.append(str(file))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            bad.append(str(file))
    require(not bad, f"files that are no images, or are damaged: {some(bad)}; remove or replace them")
    require(not deep, f"files with pixels of more than 16 bits: {some(deep)}; save them with 8 or 16 bits")
    return longest, colourful


def from_npz(path: Path) -> Source:
    """The images of an .npz file.

    Raises:
        StageError: the file is damaged, an array is missing, or arrays do not have the right types, shapes or values.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            there = archive.files
            found = {key: archive[key] for key in KEYS if key in there}
    except Exception as error:  # zipfile, zlib and NumPy raise errors of many kinds for damaged archives
        raise StageError(f"{path}: it cannot be read as .npz: {' '.join(str(error).split())}") from error
    for key in KEYS[: 4 if "x_test" in found or "y_test" in found else 2]:
        require(key in found, f"{path}: it has no {key}; it has {', '.join(there) or 'nothing'}")
    images: dict[str, np.ndarray] = {key: found[key] for key in ("x_train", "x_unlabelled", "x_test") if key in found}
    notes: list[str] = []
    images = as_bytes(path, images, notes)
    classes, labels = numbered(path, found)
    for part in ("train", "test")[: 1 + ("test" in labels)]:
        n, m = len(images[f"x_{part}"]), len(labels[part])
        require(n == m, f"{path}: x_{part} has {n} images, y_{part} {m} labels")
    known, more = labels["train"], images.get("x_unlabelled", np.empty((0, 1, 1), np.uint8))
    names = [f"x_train[{i}]" for i in range(len(known))] + [f"x_unlabelled[{i}]" for i in range(len(more))]
    all_labels = np.concatenate([known, np.full(len(more), UNLABELLED, np.uint8)])
    train = Part(names, all_labels, lambda i: images["x_train"][i] if i < len(known) else more[i - len(known)])
    test = None
    if "test" in labels:
        names = [f"x_test[{i}]" for i in range(len(labels["test"]))]
        test = Part(names, labels["test"], lambda i: images["x_test"][i])
    return Source(classes, train, test, max(max(array.shape[1:]) for array in images.values()), notes)


def as_bytes(path: Path, images: dict[str, np.ndarray], notes: list[str]) -> dict[str, np.ndarray]:
    """Grey uint8 arrays of shape (n, height, width); values of other types are scaled so that the largest becomes 255.

    Raises:
        StageError: a shape or a value is not allowed.
    """
    for key, array in images.items():
        grey = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3, 4))
        require(
            grey and array.size > 0,
            f"{path}: {key} has the shape {array.shape}; allowed are (n, height, width), and "
            "(n, height, width, 1, 3 or 4)",
        )
        number = array.dtype.kind in "buif"
        require(number, f"{path}: {key} has the type {array.dtype}; allowed are numbers")
        require(bool(np.isfinite(array).all()), f"{path}: {key} has values that are not finite")
        require(array.min() >= 0, f"{path}: {key} has the value {array.min()}; allowed are values from 0")
    most = max(float(array.max()) for array in images.values())
    others = [key for key, array in images.items() if array.dtype != np.uint8]
    require(
        len(others) in (0, len(images)),
        f"{path}: {', '.join(others)}: not uint8, as other images are, so the scales may differ; give all one type",
    )
    if not others and most < 128:
        notes.append(f"the largest value is {most:g} of 255; to have values scaled, give them another type than uint8")
    if others:
        require(most > 0, f"{path}: all pixels are 0")
        notes.append(f"values from 0 to {most:g} were scaled to 0 to 255")
        images = {key: scaled(array, 255 / most) for key, array in images.items()}
    if any(array.ndim == 4 and array.shape[3] > 1 for array in images.values()):
        notes.append("colours were turned to grey")
    return {key: array if array.ndim == 3 else in_grey(array) for key, array in images.items()}


def scaled(array: np.ndarray, factor: float) -> np.ndarray:
    """An array times a factor, rounded to uint8; a part at a time, as it may be large."""
    found = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), 1000):
        found[start : start + 1000] = np.round(array[start : start + 1000] * factor)
    return found


def in_grey(images: np.ndarray) -> np.ndarray:
    """Uint8 images of shape (n, height, width, channels) in grey, as pictures in files."""
    if images.shape[3] == 1:
        return images[..., 0]
    grey = np.empty(images.shape[:3], np.uint8)
    for i, image in enumerate(images):
        grey[i] = np.asarray(as_grey(Image.fromarray(image)))
    return grey


def numbered(path: Path, found: dict[str, np.ndarray]) -> tuple[list[str], dict[str, np.ndarray]]:
    """The names of the classes, and the labels of `train` and `test` as their numbers.

    Raises:
        StageError: labels are not allowed.
    """
    raw = {part: found[f"y_{part}"] for part in ("train", "test") if f"y_{part}" in found}
    for part, labels in raw.items():
        fits = labels.ndim == 1 and labels.dtype.kind in "iuU"
        require(
            fits,
            f"{path}: y_{part} has the type {labels.dtype} and the shape {labels.shape}; allowed are whole numbers "
            "or texts, of shape (n,)",
        )
    known = {part: np.array([label not in (-1, "-1") for label in labels.tolist()]) for part, labels in raw.items()}
    require(bool(known.get("test", np.array(True)).all()), f"{path}: y_test has the label -1; test images need a class")
    values = sorted(set(raw["train"][known["train"]].tolist()), key=lambda value: natural(str(value)))
    lowest = min((value for value in values if isinstance(value, int)), default=0)
    require(lowest >= 0, f"{path}: y_train has the label {lowest}; allowed are -1, for no label, and numbers from 0")
    if "test" in raw:
        check_same(path, values, sorted(set(raw["test"].tolist()), key=lambda value: natural(str(value))))
    check_number(path, values)
    classes = [str(value).replace("_", " ") for value in values]
    if "classes" in found:
        names = found["classes"]
        fits = names.ndim == 1 and names.dtype.kind == "U" and len(names) == len(values)
        require(fits, f"{path}: classes must be {len(values)} names, as many as there are classes in y_train")
        if raw["train"].dtype.kind == "U":  # labels that are names themselves
            require(set(names.tolist()) == set(values), f"{path}: classes and y_train must have the same names")
            values = names.tolist()
        classes = [name.replace("_", " ") for name in names.tolist()]
    place = {value: number for number, value in enumerate(values)}
    numbers = {
        part: np.array([place.get(one, UNLABELLED) for one in of.tolist()], np.uint8) for part, of in raw.items()
    }
    return classes, numbers


def check_classes(path: Path, source: Source, share: float) -> None:
    """Raise StageError if there are too few labels, or a name is not allowed."""
    classes, labels = source.classes, source.train.labels
    bad = [name for name in classes if not is_name(name)]
    require(
        not bad,
        f"{path}: names of classes that are not allowed: {some(bad)}; allowed are 1 to 40 characters, none of "
        "< > | * ` [ ] \\",
    )
    twice = sorted({name for name in classes if classes.count(name) > 1})
    require(not twice, f"{path}: names that two classes have: {some(twice)}")
    counts = np.bincount(labels[labels != UNLABELLED], minlength=len(classes))
    if source.test is None:
        few = [name for name, count in zip(classes, counts, strict=True) if count < 2]
        require(
            not few, f"{path}: classes with one labelled image: {some(few)}; two are needed where a share is held out"
        )
        counts = counts - held_out(counts, share)
    total = counts.sum()
    require(total >= LEAST_LABELLED, f"{path}: {total} labelled training images; {LEAST_LABELLED} are needed")


def prepared(source: Source, side: int) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """The images of both parts, scaled and padded, with their labels; and their names."""
    arrays: dict[str, np.ndarray] = {}
    names: dict[str, list[str]] = {}
    scaled = padded = 0
    for key, part in (("train", source.train), ("test", source.test)):
        if part is None:
            continue
        images = np.empty((len(part.names), side, side), np.uint8)
        for i in tqdm(range(len(images)), unit="image", desc=f"{key} images", disable=None):
            grey = part.read(i)
            images[i] = as_square(grey, side)
            scaled += max(grey.shape) != side
            padded += grey.shape[0] != grey.shape[1]
        arrays |= {f"{key}_images": images, f"{key}_labels": part.labels}
        names[key] = part.names
    if scaled:
        source.notes.append(f"images scaled to {side} pixels: {scaled}")
    if padded:
        source.notes.append(f"images padded to a square, with the grey of their border: {padded}")
    plain = sum(int(np.ptp(image) == 0) for key in names for image in arrays[f"{key}_images"])
    if plain:
        source.notes.append(f"images of one even grey: {plain}")
    return arrays, names


def held_out(counts: np.ndarray, share: float) -> np.ndarray:
    """How many images of each class are held out: a share of them, at least one, and never all."""
    return np.clip(np.round(share * counts), 1, counts - 1).astype(int)


def hold_out(
    arrays: dict[str, np.ndarray], names: dict[str, list[str]], share: float, rng: np.random.Generator, notes: list[str]
) -> None:
    """Make some of the labelled training images, drawn at random in each class, the test images."""
    labels = arrays["train_labels"]
    counts = np.bincount(labels[labels != UNLABELLED])
    drawn = [rng.choice(np.flatnonzero(labels == c), n, replace=False) for c, n in enumerate(held_out(counts, share))]
    test = np.sort(np.concatenate(drawn))
    train = np.setdiff1d(np.arange(len(labels)), test)
    for kind in ("images", "labels"):
        whole = arrays[f"train_{kind}"]
        arrays[f"train_{kind}"], arrays[f"test_{kind}"] = whole[train], whole[test]
    all_names = names["train"]
    names["train"], names["test"] = [all_names[i] for i in train], [all_names[i] for i in test]
    notes.append(f"there are no test images, so {len(test)} labelled ones were held out at random")


def check_duplicates(
    arrays: dict[str, np.ndarray], names: dict[str, list[str]], allowed: bool, notes: list[str]
) -> None:
    """Raise StageError if test images are the same as training images, to the byte, unless that is `allowed`."""

    def digests(images: np.ndarray) -> list[bytes]:
        return [hashlib.sha256(image.tobytes()).digest() for image in images]

    first = dict(zip(reversed(digests(arrays["train_images"])), reversed(names["train"]), strict=True))
    pairs = [
        f"{name} = {first[digest]}"
        for digest, name in zip(digests(arrays["test_images"]), names["test"], strict=True)
        if digest in first
    ]
    if not pairs:
        return
    require(allowed, f"test images that are training images too: {some(pairs)}; remove them, or --allow-duplicates")
    notes.append(f"test images that are training images too: {some(pairs)}")


def described(title: str, classes: list[str], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """What the texts and the stages need to know; data/sources/README.md explains the keys."""
    labels, images = arrays["train_labels"], arrays["train_images"]
    known = labels[labels != UNLABELLED]
    middle = np.mean([((image > 25) & (image < 230)).mean() for image in images])
    return {
        "title": title,
        "classes": classes,
        "mostly_black_or_white": bool(middle <= 0.2),
        "train": len(labels),
        "labelled": len(known),
        "rarest": int(np.bincount(known, minlength=count_classes(labels)).min()),
        "test": len(arrays["test_labels"]),
        "side": images.shape[1],
    }


def write(arrays: dict[str, np.ndarray], entry: dict[str, Any]) -> None:
    """Write the data set's folder, all of it or nothing, and let DVC hold it.

    Raises:
        StageError: it cannot be written, or DVC fails.
    """
    partial, old = (TARGET.with_name(f".{name}-{TARGET.name}") for name in ("partial", "old"))
    for folder in (partial, old):
        shutil.rmtree(folder, ignore_errors=True)
    first = not TARGET.exists()
    try:
        save_arrays(str(partial / "images.npz"), **arrays)
        with (partial / "dataset.yaml").open("w", encoding="utf-8", newline="\n") as file:
            YAML().dump(entry, file)
        if not first:
            TARGET.rename(old)
        partial.rename(TARGET)
        command = [sys.executable, "-m", "dvc", "add", "--quiet", str(TARGET)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        require(done.returncode == 0, f"nothing is imported: `dvc add {TARGET}` fails: {' '.join(done.stderr.split())}")
    except BaseException as error:  # also KeyboardInterrupt: what was there comes back
        if first or old.exists():
            shutil.rmtree(TARGET, ignore_errors=True)
        if old.exists():
            old.rename(TARGET)
        if isinstance(error, OSError):
            raise StageError(f"{TARGET} cannot be written: {error.strerror or error}") from error
        raise
    finally:
        for folder in (partial, old):
            shutil.rmtree(folder, ignore_errors=True)


def draw_sheet(arrays: dict[str, np.ndarray], classes: Sequence[str]) -> None:
    """Draw a few training images of each class, and a few without a label."""
    labels, (columns, most) = arrays["train_labels"], ON_SHEET
    shown = [name.replace("$", r"\$") for name in classes[:most]]  # matplotlib would read mathematics
    rows = [(name, np.flatnonzero(labels == c)[:columns]) for c, name in enumerate(shown)]
    rows.append(("without a label", np.flatnonzero(labels == UNLABELLED)[:columns]))
    figure = image_rows([(name, arrays["train_images"][found] / 255) for name, found in rows if len(found)])
    with atomic_write(SHEET) as partial:
        figure.savefig(partial, dpi=150, format="png")


def summary(entry: dict[str, Any]) -> list[str]:
    """What was imported, a line each."""
    return [
        f"{entry['title']}: {entry['train']} training images, {entry['labelled']} of them with a label and "
        f"{entry['train'] - entry['labelled']} without",
        f"{entry['test']} test images; all are of {entry['side']} by {entry['side']} pixels",
        f"{len(entry['classes'])} classes: {', '.join(entry['classes'])}",
        f"the rarest class has {entry['rarest']} labelled training images",
    ]


def fewer_than_asked(entry: dict[str, Any]) -> list[str]:
    """A line if params.yaml asks for more labels than these images have."""
    asked: Any = None
    with contextlib.suppress(Exception):  # a stage tells what is wrong with this file
        asked = YAML(typ="safe", pure=True).load(Path("params.yaml").read_text(encoding="utf-8"))["n_labels"]
    if not isinstance(asked, int) or asked <= entry["labelled"]:
        return []
    return [f"params.yaml asks for {asked} labels (n_labels); there are {entry['labelled']}, and all will be used"]


if __name__ == "__main__":
    try:
        main()
    except (StageError, OSError, MemoryError) as error:
        sys.exit("\n".join(f"ERROR: {line}" for line in str(error).splitlines()))
    except KeyboardInterrupt:
        sys.exit("interrupted")
