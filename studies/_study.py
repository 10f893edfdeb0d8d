"""What the studies share: the data, functions that train, and a store of finished work."""

import ast
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from dae import statistics
from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers
from dae.core.seeds import derive
from dae.sampling import draw_labelled
from stages.common.files import load_array, load_images, load_json, save_json
from stages.common.params import Params
from stages.common.process import n_jobs
from stages.common.progress import Progress
from stages.common.surroundings import imported, numeric_versions

if TYPE_CHECKING:  # it imports TensorFlow
    from dae.denoising import DaeSettings

STORE = Path("data/studies/kept")
SHOWS = ("reporting/", "stages/_figures.py")  # code that only shows results and cannot change them


class Study:
    """The data of a study, and a store of finished work, so that a stopped study continues where it was.

    A question says what to train and test; its answer is a dict of results. The answer is stored under the SHA-256 of
    all that it depends on: the question, the seed, the data, the versions of the packages that compute, and the code of
    the study and of all that it imports.

    Args:
        params: the main pipeline's parameters.
        total: number of questions, for the progress.
        module: the study's module, such as `studies.tune`.
    """

    def __init__(self, params: Params, total: int, module: str):
        self.params = params
        self.images, self.labels = load_images("data/raw/train_images.npy"), load_array("data/raw/train_labels.npy")
        self.progress = Progress(total, "question")
        code = [path for path in sorted(imported(module)) if not path.startswith(SHOWS)]
        self.shared = {
            "seed": params.seed,
            "data": [params.dataset, digest([self.images, self.labels])],
            "packages": numeric_versions(),
            "code": {path: code_digest(Path(path)) for path in code},
        }

    @cached_property
    def test_images(self) -> np.ndarray:
        """Uint8 array of shape (10000, pixels); only a study that tests opens it."""
        return load_images("data/raw/test_images.npy")

    @cached_property
    def test_labels(self) -> np.ndarray:
        """Uint8 array of shape (10000,)."""
        return load_array("data/raw/test_labels.npy")

    def cached(self, question: dict, answer: Callable[[], dict]) -> dict:
        """Return the stored answer to a question, or compute it with `answer` and store it. Both must be JSON."""
        return self.cached_all([question], lambda missing: (answer() for _ in missing))[0]

    def cached_all(self, questions: Sequence[dict], answers: Callable[[list[int]], Iterable[dict]]) -> list[dict]:
        """Return the answers to many questions, see `cached`.

        Args:
            questions: the questions, each with `what`, its description.
            answers: yields the answers to the questions with these indices, which are not stored; each answer is
                stored as soon as it is computed.
        """
        # "what" describes the question in the log and is not part of the key
        texts = [json.dumps(self.shared | question | {"what": None}, sort_keys=True) for question in questions]
        paths = [STORE / f"{hashlib.sha256(text.encode()).hexdigest()}.json" for text in texts]
        missing = [number for number, path in enumerate(paths) if not path.exists()]
        for number in set(range(len(paths))) - set(missing):
            self.progress.step(questions[number]["what"])
        for number, answer in zip(missing, answers(missing) if missing else (), strict=True):
            save_json(str(paths[number]), answer)
            self.progress.step(questions[number]["what"])
        return [load_json(str(path)) for path in paths]

    def draw(self, name: str, number: int, n_labels: int) -> np.ndarray:
        """Rows of labelled images, int32 of shape (n_labels,), drawn as in the main pipeline but from other streams.

        `name` and `number` name the random stream.
        """
        seed = derive(self.params.seed, name, number)
        return draw_labelled(self.labels, n_labels, seed, self.params.split.stratified)

    def test(
        self, name: str, draws: Sequence[np.ndarray], settings: ClassifierSettings, encoders: Sequence[Sequence]
    ) -> list[float]:
        """Train a classifier for each label draw; returns their test accuracies, fractions. See `probabilities`."""
        found = self.probabilities(name, draws, settings, encoders)
        return [float((probabilities.argmax(axis=1) == self.test_labels).mean()) for probabilities in found]

    def probabilities(
        self, name: str, draws: Sequence[np.ndarray], settings: ClassifierSettings, encoders: Sequence[Sequence]
    ) -> Iterator[np.ndarray]:
        """Train a classifier for each label draw; yields their class probabilities of the test images.

        Args:
            name: of the random streams.
            draws: rows of the labelled images of each draw.
            settings: the same for all classifiers.
            encoders: see `dae.classifiers.ClassifierJob`; draw r uses encoder r mod their number.
        """
        jobs = (
            ClassifierJob(
                self.images[rows],
                self.labels[rows],
                self.test_images,
                encoders[r % len(encoders)],
                derive(self.params.seed, name, r, "seed"),
            )
            for r, rows in enumerate(draws)
        )
        for result in train_classifiers(((job, settings) for job in jobs), min(n_jobs(), len(draws))):
            yield result.probabilities

    def pretrain(self, name: str, settings: "Sequence[DaeSettings]", test: bool = True) -> list[tuple[list, dict]]:
        """Train dAEs at the same time, each with its own settings.

        Args:
            name: of the random streams; dAE i has the stream (name, i).
            settings: of each dAE.
            test: whether the test images are denoised.

        Returns:
            For each dAE its encoder, `[kernel_1, bias_1, ...]`, and the PSNR in dB of the `noisy` and the `denoised`
            test images, None where it is infinite; an empty dict if not `test`.
        """
        # imported only here: a study whose answers are stored need not wait for TensorFlow
        from dae.core.images import scale
        from dae.core.training import set_up_tensorflow
        from dae.denoising import DaeJob, corrupt_and_denoise, train_daes
        from dae.reconstruction import psnr

        set_up_tensorflow(at_once=n_jobs())
        seeds = [derive(self.params.seed, name, number) for number in range(len(settings))]
        jobs = [(DaeJob(self.images, seed), how) for seed, how in zip(seeds, settings, strict=True)]

        def log(number: int, epoch: int, loss: float, held_out: float | None) -> None:
            how = settings[number]
            what = f"dAE {number + 1}/{len(jobs)} for {name}, {how.corruption} {how.noise:g}"
            tqdm.write(f"{what}: epoch {epoch}/{how.epochs}  loss {loss:.4f}", file=sys.stderr)

        found = []
        for seed, how, result in zip(seeds, settings, train_daes(jobs, on_epoch=log), strict=True):
            quality = {}
            if test:
                clean = scale(self.test_images)
                kinds = corrupt_and_denoise(result.model, clean, how.corruption, how.noise, (derive(seed, "test"), 0))
                errors = {
                    kind: float(np.square(images.astype(np.float64) - clean).mean()) for kind, images in kinds.items()
                }
                quality = {kind: psnr(error) for kind, error in errors.items()}
            found.append((result.encoder, quality))
        return found


def paired(
    accuracies: Sequence[float] | np.ndarray, reference: Sequence[float] | np.ndarray, confidence: float
) -> dict:
    """The mean paired difference in accuracy, `difference`, and its t interval from `low` to `high`, as fractions.

    Args:
        accuracies, reference: of the same label draws in the same order; the difference is the first minus the second.
        confidence: level of the interval.
    """
    differences = np.array(accuracies) - np.array(reference)
    low, high = statistics.t_interval(differences, confidence)
    return {"difference": round(float(differences.mean()), 5), "low": round(low, 5), "high": round(high, 5)}


def code_digest(path: Path) -> str:
    """SHA-256 of a module's code; comments, docstrings and line breaks do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def digest(arrays: Sequence[np.ndarray]) -> str:
    """SHA-256 of the values of arrays, which represents them in a question."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def question(what: str, settings: ClassifierSettings, **more: Any) -> dict:
    """A question about trainings with these settings; `what` describes it in the log."""
    return {"what": what, "settings": asdict(settings), **more}
