"""What the studies share: the data, and trainings whose results are kept as they come."""

import ast
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dae.replicates import Recipe, Replicate, train_replicates
from dae.sampling import draw_labelled
from dae.seeds import derive
from stages._params import Params
from stages._stage import Progress, load_array, load_images, load_json, n_jobs, save_json
from stages._surroundings import imported, numeric_versions

KEPT = Path("data/studies/kept")
SHOWN = {"dae/figures.py", "dae/language.py"}  # they draw answers, and make none


class Study:
    """The data of a study, and a store of finished work, so that a study that was stopped goes on where it was.

    A result is kept under the SHA-256 of all that it depends on: what is asked, the seed, the data, the versions of the
    packages that compute, and the code of the study and of all that it imports.

    Args:
        params: the main pipeline's.
        total: units of work, for the progress.
        module: the study's, such as `studies.tune`.
    """

    def __init__(self, params: Params, total: int, module: str):
        self.params = params
        self.images, self.labels = load_images("data/raw/train_images.npy"), load_array("data/raw/train_labels.npy")
        self.progress = Progress(total, "unit")
        self.shared = {
            "seed": params.seed,
            "data": [params.dataset, digest([self.images, self.labels])],
            "packages": numeric_versions(),
            "code": {path: code_digest(Path(path)) for path in sorted(imported(module) - SHOWN)},
        }

    @cached_property
    def test_images(self) -> np.ndarray:
        """Uint8 array of shape (10000, pixels), opened only by a study that tests."""
        return load_images("data/raw/test_images.npy")

    @cached_property
    def test_labels(self) -> np.ndarray:
        """Uint8 array of shape (10000,)."""
        return load_array("data/raw/test_labels.npy")

    def keep(self, question: dict, answer: Callable[[], dict]) -> dict:
        """The answer to a question, from the store or else made and stored; both are as JSON holds them."""
        return self.keep_all([question], lambda missing: (answer() for _ in missing))[0]

    def keep_all(self, questions: Sequence[dict], answers: Callable[[list[int]], Iterable[dict]]) -> list[dict]:
        """As `keep`, of many.

        Args:
            questions: what is asked.
            answers: gives the answers to the questions of these numbers, which the store has not; each is stored as
                it comes.
        """
        # what is asked in words, for the reader of the log, is no part of the key
        texts = [json.dumps(self.shared | question | {"what": None}, sort_keys=True) for question in questions]
        paths = [KEPT / f"{hashlib.sha256(text.encode()).hexdigest()}.json" for text in texts]
        missing = [number for number, path in enumerate(paths) if not path.exists()]
        for number in set(range(len(paths))) - set(missing):
            self.progress.step(questions[number]["what"])
        for number, answer in zip(missing, answers(missing) if missing else (), strict=True):
            save_json(str(paths[number]), answer)
            self.progress.step(questions[number]["what"])
        return [load_json(str(path)) for path in paths]

    def draw(self, name: str, number: int, n_labels: int) -> np.ndarray:
        """Rows of labelled images, drawn as the main pipeline draws them, but under another name."""
        seed = derive(self.params.seed, name, number)
        return draw_labelled(self.labels, n_labels, seed, self.params.split.stratified)

    def test(self, name: str, rows: list[np.ndarray], recipe: Recipe, encoders: list[Sequence]) -> list[float]:
        """Test accuracies of replicates trained on `rows`, which take the encoders in turn."""
        replicates = (
            Replicate(
                self.images[draw],
                self.labels[draw],
                self.test_images,
                encoders[r % len(encoders)],
                derive(self.params.seed, name, r, "seed"),
            )
            for r, draw in enumerate(rows)
        )
        trained = train_replicates(replicates, recipe, min(n_jobs(), len(rows)))
        return [float((t.probabilities.argmax(axis=1) == self.test_labels).mean()) for t in trained]

    def pretrain(
        self,
        name: str,
        units: Sequence[int],
        *,
        epochs: int,
        corruption: str,
        noise: float,
        tied: bool,
        convolutional: bool = False,
    ) -> tuple[list[np.ndarray], dict]:
        """Train a dAE as the main pipeline does, but for the arguments.

        Args:
            name: of the random streams.
            units: as of `dae.networks.build_autoencoder`, or of `build_convolutional_autoencoder`.
            epochs: passes over the training images.
            corruption, noise: as of `dae.corruption.corrupt`.
            tied: whether the decoder's kernels are the encoder's, transposed; of no effect on convolutions.
            convolutional: which of the two networks.

        Returns:
            The encoder's kernels and biases, in turn, and the PSNR in dB of the noisy and the denoised test images.
        """
        from dae.backend import tf
        from dae.corruption import corrupt
        from dae.networks import build_autoencoder, build_convolutional_autoencoder
        from dae.reconstruction import psnr
        from dae.training import Trainer, predict, scale, set_up_tensorflow, train_autoencoders

        params, settings = self.params, self.params.pretrain
        set_up_tensorflow()
        if convolutional:
            autoencoder = build_convolutional_autoencoder(units)
        else:
            autoencoder = build_autoencoder(self.images.shape[1], units, tied)
        train_autoencoders(
            [Trainer(autoencoder, corruption, noise)],
            self.images,
            seeds=[derive(params.seed, name)],
            epochs=epochs,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            on_epoch=lambda _, epoch, loss: tqdm.write(
                f"dAE for {name}: epoch {epoch}/{epochs}  loss {loss:.4f}", file=sys.stderr
            ),
        )
        clean = scale(self.test_images)
        noisy = corrupt(clean, corruption, noise, tf.constant([derive(params.seed, name, "test"), 0]))
        denoised = tf.sigmoid(predict(autoencoder, noisy))
        quality = {
            kind: psnr(float(np.square(images.numpy().astype(np.float64) - clean).mean()))
            for kind, images in (("noisy", noisy), ("denoised", denoised))
        }
        return autoencoder.get_weights()[: 2 * len(units)], quality


def code_digest(path: Path) -> str:
    """SHA-256 of what a module does: comments, docstrings and the layout of its lines do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def digest(arrays: Sequence[np.ndarray]) -> str:
    """SHA-256 of arrays' values, to stand for them in a question."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def question(what: str, recipe: Recipe, **more) -> dict:
    """A question about trainings by a recipe; `what` is shown as it is worked on."""
    return {"what": what, "recipe": asdict(recipe), **more}
