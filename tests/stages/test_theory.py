import json

import numpy as np
import pytest

from dae.autoencoders import AutoencoderResult, AutoencoderSettings
from dae.classifiers import ClassifierResult
from dae.judges import Look
from stages import theory, theory_figures
from stages.common.params import load_params
from stages.exercises import inputs, samples, tasks, tied

SEEDS = 2


@pytest.mark.parametrize(("error", "expected"), [(0.01, 20.0), (np.float32(0.25), 6.021), (0.0, None)])
def test_decibels_of_an_error(error, expected):
    assert inputs.decibels(error) == expected


def test_the_spread_of_values():
    assert inputs.spread([0.5, 0.75, 0.75]) == {"mean": 0.6667, "low": 0.5, "high": 0.75}
    assert inputs.spread(iter([0.12345678]), 6) == {"mean": 0.123457, "low": 0.123457, "high": 0.123457}


@pytest.mark.parametrize(
    ("losses", "goal", "share"), [([4, 3, 2, 1], 2, 0.75), ([4, 3, 2, 1], 9, 0.25), ([4, 3, 2, 1], 0.5, None)]
)
def test_a_loss_is_reached_after_a_share_of_the_training(losses, goal, share):
    assert tied.reached(losses, goal) == share


def test_the_longest_training_is_the_one_with_most_multiplications():
    def work(units, steps):
        return theory.work(100, AutoencoderSettings(units, steps, batch_size=1, learning_rate=0.1))

    assert work((20, 5), 3) == 3 * (100 * 20 + 20 * 5)
    assert work((20,), 0) == 0


def digits(n, rng):
    """Images whose first pixel is 14 times the class, and whose 36 pixels are all different and below 144."""
    classes = np.arange(n) % 10
    images = [np.r_[14 * c, rng.permutation(np.setdiff1d(np.arange(144), 14 * c))[:35]] for c in classes]
    return np.stack(images).astype(np.uint8).reshape(n, 6, 6), classes.astype(np.uint8)


@pytest.fixture
def data():
    """Inputs of 100 training and 120 test images of 36 pixels."""
    rng = np.random.default_rng(0)
    (train, train_labels), (test, test_labels) = digits(100, rng), digits(120, rng)
    train, test = train.reshape(100, -1), test.reshape(120, -1)
    return inputs.Inputs(
        train=train,
        train_labels=train_labels,
        many=train,
        test=test,
        test_labels=test_labels,
        labelled=train[None, :50],
        labels=train_labels[None, :50],
        seeds=(1, 2),
        query_seed=3,
        noise=0.25,
    )


def test_queries_are_plain_masked_upside_down_and_noise(data):
    queries = data.queries
    assert list(queries) == ["plain", "masked", "upside_down", "noise"]
    assert {(images.shape, images.dtype) for images in queries.values()} == {((100, 36), np.dtype(np.uint8))}
    plain = queries["plain"]
    assert (plain[:10, 0] // 14).tolist() == [*range(10)]
    assert (plain[10:] == data.test[:90]).all()
    kept = queries["masked"] == plain
    assert (kept | (queries["masked"] == 0)).all()
    assert 0.72 < kept.mean() < 0.78
    assert (queries["upside_down"].reshape(100, 6, 6) == plain.reshape(100, 6, 6)[:, ::-1, ::-1]).all()
    noise = queries["noise"].astype(int)
    assert (noise.min(), noise.max()) == (0, 255)
    assert noise.mean() == pytest.approx(127.5, abs=4)


def test_masked_queries_are_as_bright_as_the_network_is_used_to(data):
    for noise, factor in ((0.0, 1), (0.25, 4 / 3), (1.0, 1)):
        found = data.split(data.queries_for(noise))
        assert list(found) == list(data.queries)
        for kind, images in data.queries.items():
            assert found[kind] == pytest.approx(images * (factor if kind == "masked" else 1))


def test_principal_components_are_fitted_once_and_leave_less_the_more_there_are(data, monkeypatch):
    fits = []
    fit = inputs.PCA.fit
    monkeypatch.setattr(inputs.PCA, "fit", lambda self, images: fits.append(images) or fit(self, images))
    found = {n: data.measured_pca(n) for n in (1, 10, 35)}
    assert len(fits) == 1
    assert found[1]["test"]["mean"] < found[10]["test"]["mean"] < found[35]["test"]["mean"]
    # the best two numbers, by the covariance's eigenvectors
    scaled = data.train / 255
    _, vectors = np.linalg.eigh(np.cov(scaled, rowvar=False))
    centred = data.scaled - scaled.mean(axis=0)
    expected = np.clip(centred @ vectors[:, -2:] @ vectors[:, -2:].T + scaled.mean(axis=0), 0, 1)
    assert data.pca_images(data.test, 2) == pytest.approx(expected, abs=1e-4)
    assert np.abs(data.pca_codes(data.test, 2)) == pytest.approx(np.abs(centred @ vectors[:, [-1, -2]]), abs=1e-4)


def test_probes_are_trained_on_each_draw(data, monkeypatch):
    seen = []

    def probe(features, labels, test_features, test_labels):
        seen.append((len(features), labels.tolist(), test_features[0, 0], len(test_labels)))
        return 0.5

    monkeypatch.setattr(inputs, "PROBES", {"linear": probe, "neighbours": probe})
    assert data.probe(lambda images: images + 0.5) == {"linear": [0.5], "neighbours": [0.5]}
    assert seen == [(50, [*range(10)] * 5, data.test[0, 0] + 0.5, 120)] * 2


ERRORS = {  # of each network, by its widths and noise
    ((10,), 0.0): 0.01,
    ((10,), 0.5): 0.1,
    ((60,), 0.0): 0.001,
    ((60,), 0.5): 0.025,
    ((7, 3), 0.0): 0.02,
}


@pytest.fixture
def evidence(root, tmp_path, monkeypatch, drawn_by):
    """What the stage makes of autoencoders that err as they are told here, with 100 training and 120 test images."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    train, train_labels = digits(100, rng)
    test, test_labels = digits(120, rng)
    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "data" / "split").mkdir()
    arrays = {"train_images": train, "train_labels": train_labels, "test_images": test, "test_labels": test_labels}
    for name, array in arrays.items():
        np.save(f"data/raw/{name}.npy", array)
    np.save("data/split/draws.npy", np.arange(60).reshape(3, 20))
    scaled = test.reshape(120, -1) / np.float32(255)
    asked, seeds, looked = [], [], []

    def result(job, settings):
        if job.seed not in seeds:
            seeds.append(job.seed)
        number = seeds.index(job.seed)  # 0 or 1: which of the trainings
        units, noise, is_tied, steps = settings.units, settings.noise, settings.tied, settings.steps
        left_out = set(range(10)) - set((job.train[:, 0] // 14).tolist())
        error = 0.25 if not steps else ERRORS.get((units, noise), 0.5)
        few = len(job.train) == 50
        error = error * (2 if few else 1) + 0.005 * is_tied + 0.001 * number * (units == (7, 3))
        test_errors = np.full(120, error, np.float32)
        if left_out:  # the class left out errs most, but class 1 least
            test_errors[test_labels == min(left_out)] = 0.1 if left_out == {1} else 0.9
        # both kinds of queries come back as they are, but for a shift
        queries = (job.queries / 255 + (0.1 if noise else 0.01)).astype(np.float32)
        return AutoencoderResult(
            n_parameters=300 if is_tied else 500,
            losses=[4.0, 2.0 - is_tied, 1.0, 0.5] if not few or is_tied else [4.0, 3.0, 2.0, 0.25],
            train_error=len(job.train) / 1000 + is_tied / 2,
            test_errors=test_errors,
            byte_error=0.001 if settings.variational else 0.01,
            codes=np.zeros((120 if job.keeps_codes else 0, 2), np.float32),
            linear=[0.5 + 0.25 * bool(noise), 0.25 + 0.125 * number] if len(job.labels) else [],
            neighbours=[0.125, 0.375] if len(job.labels) else [],
            queries=queries,
            byte_queries=queries + 1,
            samples=np.full((job.n_samples, 36), 0.25 if settings.variational else 0.75, np.float32),
            seconds=(1.23 if is_tied else 4.56) + number,
        )

    def train_autoencoders(jobs, n_jobs):
        asked.extend(jobs)
        return (result(*pair) for pair in asked)

    def train_classifiers(jobs, n_jobs):
        ((job, settings),) = jobs
        assert settings.convolutional
        assert np.array_equal(job.images, train.reshape(100, -1))
        probabilities = np.eye(10)[test_labels]
        probabilities[:30] = 0.1  # taken for class 0, which three of these thirty are
        return [ClassifierResult(probabilities, [], ["weights"], np.empty(0))]

    def look(weights, units, sets, n_jobs):
        assert weights == ["weights"]
        looked.extend(sets)
        confidences = np.r_[np.full(15, 0.95), np.full(45, 0.94)]
        return [Look(np.full((60, 1), n**2), np.roll(confidences, n) * (n != 3)) for n in range(len(sets))]

    def probe(images, labels, *_):
        assert labels.tolist() == [*range(10), *range(5)]
        return 0.5

    monkeypatch.setattr(tasks, "MAPPED", 40)
    monkeypatch.setattr(theory, "DRAWS", 2)
    monkeypatch.setattr(theory, "PROBED", 15)
    monkeypatch.setattr(theory, "train_autoencoders", train_autoencoders)
    monkeypatch.setattr(samples, "train_classifiers", train_classifiers)
    monkeypatch.setattr(samples, "look", look)
    monkeypatch.setattr(samples, "frechet_distance", lambda reference, others: float(others[0, 0] - reference[0, 0]))
    monkeypatch.setattr(inputs, "PROBES", {"linear": probe, "neighbours": lambda *found: probe(*found) / 2})
    drawn = drawn_by(theory_figures)
    params = load_params(root / "params.yaml")
    settings = {"images": 100, "few": 50, "seeds": SEEDS, "epochs": 3, "batch_size": 30, "noise": 0.5}
    longer = params.theory.tasks.model_copy(update={"images": 70, "epochs": 2, "units": [9, 5]})
    parts = {
        "theory": params.theory.model_copy(update=settings | {"codes": [60, 10], "tasks": longer}),
        "network": params.network.model_copy(update={"units": [7, 3]}),
    }
    params = params.model_copy(update=parts)
    seconds = theory.main(params)
    theory_figures.main(params)
    assert seconds == {"seconds_free": 4.6, "seconds_tied": 1.2}
    written = json.loads((tmp_path / "reports" / "theory.json").read_text())
    return {"written": written, "drawn": drawn, "asked": asked, "test": scaled, "looked": looked}


def same(value):
    return {"mean": value, "low": value, "high": value}


def spread(mean, low, high):
    return {"mean": mean, "low": low, "high": high}


# of two seeds and two draws: 0.5 and 0.25, 0.5 and 0.375; with noise 0.75 in place of 0.5
PROBES = {
    False: {"linear": spread(0.4062, 0.25, 0.5), "neighbours": spread(0.25, 0.125, 0.375)},
    True: {"linear": spread(0.5312, 0.25, 0.75), "neighbours": spread(0.25, 0.125, 0.375)},
}


def test_each_piece_of_evidence_is_that_of_its_autoencoder(evidence):
    written = evidence["written"]
    trust = {name: found.pop("trustworthiness") for name, found in written["map"].items()}
    assert trust["ae_code"] < trust["pca_code"]  # for all codes are 0
    pca = written["sweep"][0].pop("pca")
    assert pca["linear"] == same(0.5)
    assert pca["train"]["low"] > pca["test"]["high"] > 3
    assert written["compression"].pop("pca") > 3
    assert set(written["auroc_by_ink"]) == set("0123456789")
    strange = written.pop("strange")
    assert written.pop("auroc_by_ink")["1"] < 0.5
    assert written == {
        "steps": 12,  # 3 epochs of 4 batches
        "draws": 2,
        "neighbours": 5,
        "mapped": 40,
        "anomaly_units": [128, 16],
        "map": {"ae_code": {"neighbours": spread(0.25, 0.125, 0.375)}, "pca_code": {"neighbours": same(0.25)}},
        "auroc": {str(c): 0.0 if c == 1 else 1.0 for c in range(10)},
        # zlib needs 36 bytes and 8 more where no byte comes twice
        "compression": {"bytes": 5, "lossless": 44, "psnr": 20.0},
        "samples": {
            "classifier": 0.775,
            "sure": 0.95,
            "images": 60,
            "features": 128,
            "sets": {
                "real": {"sure": 0.25, "frechet": 1.0},
                "variational": {"sure": 0.25, "frechet": 4.0},
                "plain": {"sure": 0.0, "frechet": 9.0},
                "gaussian": {"sure": 0.25, "frechet": 16.0},
            },
        },
        "pixels": {"linear": same(0.5), "neighbours": same(0.25)},
        "untrained": {"train": same(10.0), "test": same(6.021)} | PROBES[False],
        "pairs": {"all": 4, "denoising": 2, "untrained": 0},
        "queries": 100,
        "sweep": [
            {
                "code": 10,
                "no_noise": {"train": same(10.0), "test": same(20.0)} | PROBES[False],
                "with_noise": {"train": same(10.0), "test": same(10.0)} | PROBES[True],
            },
            {
                "code": 60,
                "no_noise": {"train": same(10.0), "test": same(30.0)} | PROBES[False],
                "with_noise": {"train": same(10.0), "test": same(16.021)} | PROBES[True],
                "pca": None,
            },
        ],
        "linear": {"code": 10, "train": same(10.0), "test": same(20.0)},
        "tied": [
            row(100, False, 500, 0.1, (0.02, 0.021)),
            row(100, True, 300, 0.6, (0.025, 0.026)),
            row(50, False, 500, 0.05, (0.04, 0.041)),
            row(50, True, 300, 0.55, (0.045, 0.046)),
        ],
        # with many images, the free network ends at 0.5, as the tied one does; with few at 0.25, which that never has
        "overtaken": {"many": same(1.0), "few": None},
    }
    assert strange["copying"]["noise"] == strange["copying"]["upside_down"] == strange["copying"]["masked"] == 40.0
    assert strange["denoising"]["noise"] == strange["denoising"]["upside_down"] == 20.0
    assert strange["copying"]["restored"] < 20  # half of the pixels are missing


def row(images, is_tied, parameters, train, test):
    errors = {"train": same(train), "test": spread(round(sum(test) / 2, 6), *test)}
    return {"images": images, "tied": is_tied, "parameters": parameters} | errors


def test_the_sets_that_are_judged(evidence):
    reference, real, variational, plain, gaussian = evidence["looked"]
    test = evidence["test"]
    assert len(reference) == len(real) == 60
    assert sorted(map(tuple, np.concatenate([reference, real]))) == sorted(map(tuple, test))
    assert not np.array_equal(reference, test[:60])  # shuffled
    assert (variational == 0.25).all()
    assert (plain == 0.75).all()
    assert gaussian.shape == (60, 36)
    assert 0 <= gaussian.min() < gaussian.max() <= 1
    assert gaussian.mean(axis=0) == pytest.approx(test.mean(axis=0), abs=0.12)


def test_the_figures_of_the_evidence_show_the_right_images(evidence):
    drawn, test = evidence["drawn"], evidence["test"].reshape(-1, 6, 6)
    rows, units = drawn["copies"]
    assert units == 60
    for kind, shift in (("copying", 0.01), ("denoising", 0.1)):
        # the last six are not masked, so that the networks get what is shown
        assert rows[kind][4:] == pytest.approx(rows["input"][4:] + shift, abs=1e-5)
    assert np.array_equal(rows["input"][4], test[4, ::-1, ::-1])
    assert (rows["input"][:4] == 0).mean() > 0.3
    masked = rows["input"][:4] > 0
    assert (rows["input"][:4] == test[:4])[masked].all()
    assert rows["denoising"][:4][masked] == pytest.approx(2 * rows["input"][:4][masked] + 0.1, abs=1e-5)
    codes, reconstructed, originals = drawn["code_sizes"]
    assert codes == [10, 60]
    assert all(images == pytest.approx(test[:10] + 0.01, abs=1e-5) for images in reconstructed)
    assert np.array_equal(originals, test[:10])
    rows, pixels, linear, n_pixels = drawn["sweep"]
    assert [row["code"] for row in rows] == [10, 60]
    assert (pixels["linear"]["mean"], linear["code"], n_pixels) == (0.5, 10, 36)
    (sets,) = drawn["samples"]
    assert {name: len(images) for name, images in sets.items()} == dict.fromkeys(
        ("real", "variational", "plain", "gaussian"), 40
    )
    assert (sets["variational"] == 0.25).all()
    rows, n_bytes = drawn["compression"]
    assert n_bytes == 5
    assert np.array_equal(rows["original"], test[:10])
    assert rows["by_autoencoder"] == pytest.approx(test[:10] + 1.01, abs=1e-5)
    assert rows["by_pca"].shape == (10, 6, 6)
    codes, classes, names, kept = drawn["maps"]
    assert (codes["ae_code"] == 0).all()
    assert codes["pca_code"].shape == (40, 2)
    assert classes.tolist() == [*range(10)] * 4
    assert names == [*map(str, range(10))]
    assert kept["pca_code"]["neighbours"]["mean"] == 0.25
    auroc, by_ink, names = drawn["anomalies"]
    assert names == [*map(str, range(10))]
    assert auroc["1"] == 0.0
    assert set(by_ink) == set(auroc)


def test_the_autoencoders_are_asked_for_as_the_exercises_want_them(evidence):
    kinds = {}
    for job, s in evidence["asked"]:
        kind = (s.units, s.noise, s.tied, s.variational, s.squared_error, s.steps)
        kinds.setdefault(kind, []).append(len(job.train))
    assert kinds == {
        ((10,), 0.0, False, False, False, 12): [100] * SEEDS,
        ((10,), 0.5, False, False, False, 12): [100] * SEEDS,
        ((60,), 0.0, False, False, False, 12): [100] * SEEDS,
        ((60,), 0.5, False, False, False, 12): [100] * SEEDS,
        ((60,), 0.0, False, False, False, 0): [100] * SEEDS,
        ((10,), 0.0, False, False, True, 12): [100] * SEEDS,
        ((7, 3), 0.0, True, False, False, 12): [100, 100, 50, 50],
        ((7, 3), 0.0, False, False, False, 12): [100, 100, 50, 50],
        ((9, 2), 0.0, False, False, False, 6): [70],
        ((9, 5), 0.0, False, False, False, 6): [70],
        ((9, 5), 0.0, False, True, False, 6): [70],
        ((128, 16), 0.0, False, False, False, 12): [90] * 10,
    }
    asked = evidence["asked"]
    units = {kind: {s.units for _, s in asked if s.activation == kind} for kind in ("relu", "leaky_relu")}
    assert units == {"relu": {(7, 3)}, "leaky_relu": {(10,), (60,)}}
    assert {s.activation for _, s in asked if s.squared_error} == {"linear"}
    assert all(s.units[0] in (9, 128) or s.squared_error for _, s in asked if s.activation == "linear")
    assert len({job.seed for job, s in asked if s.units == (60,)}) == SEEDS
    assert len({job.seed for job, s in asked if s.units[0] in (9, 128)}) == 1
    (made,) = (job for job, s in asked if s.variational)
    assert made.n_samples == 60
    probed = [job for job, s in asked if s.units in ((10,), (60,), (9, 2)) and not s.squared_error]
    assert all(job.labelled.shape == (2, 15, 36) for job in probed)
    assert all(job.labels.tolist() == [[*range(10), *range(5)]] * 2 for job in probed)
    assert {s.batch_size for _, s in asked} == {30}
    # the most work first
    works = [theory.work(36, s) for _, s in asked]
    assert works == sorted(works, reverse=True)
