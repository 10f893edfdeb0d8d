import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dae.classifiers import ClassifierResult
from dae.core.seeds import derive
from stages import _classifiers
from stages.common.params import load_params
from studies import _study, controls
from studies._params import load_study_params
from studies.controls import CONTRASTS, MEASURES, Rows, contrast

RUNS = {"draw": [0, 1, 2, 3, 0], "seed": [11, 12, 13, 14, 15], "dae": [0, 1, 0, 1, 1], "repeat": [False] * 4 + [True]}
PIXELS, CLASSES = 4, 10


def encoder(number):
    """An encoder of a network with the units 5 and 3, all of whose values differ."""
    shapes = [(PIXELS, 5), (5,), (5, 3), (3,)]
    return [number + np.arange(np.prod(s), dtype=np.float32).reshape(s) / 100 for s in shapes]


ENCODERS = [encoder(1), encoder(2)]


def answers(seed):
    """Class probabilities of four test images."""
    return np.random.default_rng(seed).dirichlet(np.ones(CLASSES), 4).astype(np.float32)


@pytest.fixture
def pipeline(root, tmp_path, monkeypatch):
    """A main pipeline that has run: four replicates of two labels each and a repeat, and of each arm its answers."""
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_study, "STORE", tmp_path / "store")
    monkeypatch.setenv("DAE_JOBS", "1")
    arrays = {
        "raw/train_images": np.arange(8 * PIXELS).reshape(8, 2, 2).astype(np.uint8),
        "raw/train_labels": np.arange(8).astype(np.uint8),
        "raw/test_images": np.arange(4 * PIXELS).reshape(4, 2, 2).astype(np.uint8),
        "raw/test_labels": np.array([0, 1, 2, 3], np.uint8),
        "split/draws": np.arange(8).reshape(4, 2)[::-1],
        "finetune/probabilities": np.array([answers(100 + run) for run in range(5)]),
        "baseline/probabilities": np.array([answers(200 + run) for run in range(5)]),
    }
    for name, array in arrays.items():
        Path("data", name).parent.mkdir(parents=True, exist_ok=True)
        np.save(f"data/{name}.npy", array)
    Path("data/pretrain").mkdir()
    np.savez("data/pretrain/encoders.npz", *(array for one in ENCODERS for array in one))
    pd.DataFrame(RUNS).to_csv("data/split/runs.csv", index=False)
    first = {"learning_rate": 0.01, "dropout": 0.125, "masking": 0.25, "steps": 7}
    chosen = {"without": first, "with": first | {"corruption": "gaussian", "noise": 0.5, "epochs": 3, "steps": 8}}
    Path("reports/studies").mkdir(parents=True)
    tuned = {arm: {"chosen": {}, "by_one_draw": choice} for arm, choice in chosen.items()}
    Path("reports/studies/tune.json").write_text(json.dumps(tuned))
    params = load_params(root / "params.yaml")
    arms = {
        "finetune": {"learning_rate": 0.001, "dropout": 0.5, "masking": 0.25, "steps": 9, "batch_size": 2},
        "baseline": {"learning_rate": 0.002, "dropout": 0.25, "masking": 0.75, "steps": 5, "batch_size": 2},
    }
    changes = {
        "n_labels": 2,
        "network": params.network.model_copy(update={"units": [5, 3]}),
        "pretrain": params.pretrain.model_copy(update={"models": 2}),
        **{arm: getattr(params, arm).model_copy(update=values) for arm, values in arms.items()},
    }
    study_params = load_study_params(root / "studies" / "params.yaml")
    few = {"replicates": 3, "models": 2, "masking": 0.375, "frozen_learning_rate": 0.0625}
    settings = study_params.controls.model_copy(update=few)
    return params.model_copy(update=changes), study_params.model_copy(update={"controls": settings})


@pytest.fixture
def trained(pipeline, monkeypatch):
    """Let classifiers and dAEs be known instead of trained; records what is asked for.

    The answers follow from a job's seed, and the weights from the number of the call. The encoder of dAE i, of the name
    N, is N and i.
    """
    calls, pretrained = [], []

    def train(jobs, n_jobs):
        calls.append(list(jobs))
        for number, (job, _) in enumerate(calls[-1]):
            yield ClassifierResult(answers(job.seed), [], ["weights", len(calls), number], np.empty((0, 0)))

    def pretrain(study, name, settings, test=True):
        pretrained.append((name, settings, len(study.images), test))
        return [([name, number], {}) for number in range(len(settings))]

    for module in (controls, _study):
        monkeypatch.setattr(module, "train_classifiers", train)
    monkeypatch.setattr(_study.Study, "pretrain", pretrain)
    other = {
        "train_images": np.zeros((6, 2, 2), np.uint8),
        "train_labels": np.arange(6).astype(np.uint8),
        "test_images": np.zeros((4, 2, 2), np.uint8),
        "test_labels": np.array([3, 3, 3, 3], np.uint8),
    }
    monkeypatch.setattr(controls._sources, "find", {"fashion_mnist": other}.__getitem__)
    return calls, pretrained


@pytest.fixture
def rows(pipeline):
    params, study_params = pipeline
    return Rows(params, study_params.controls)


@pytest.fixture
def asked(rows, trained, monkeypatch):
    """The jobs of each row that trains its own classifiers, each with its settings."""
    calls, _ = trained
    found, train = {}, Rows.train

    def watch(self, name, *arguments):
        measured = train(self, name, *arguments)
        found[name] = calls[-1]
        return measured

    monkeypatch.setattr(Rows, "train", watch)
    rows.all()
    return found


def test_every_row_that_is_compared_is_made_and_every_row_made_is_compared(rows, trained):
    found = rows.all()
    assert set(found) == {name for pair in CONTRASTS.values() for name in pair}
    assert {tuple(values) for values in found.values()} == {MEASURES}
    assert {len(values) for measured in found.values() for values in measured.values()} == {3}


def test_the_arms_are_the_first_replicates_of_the_main_pipeline(rows, trained):
    found = rows.all()
    for arm, seed in (("with", 100), ("without", 200)):
        probabilities = [answers(seed + run) for run in range(3)]
        assert found[arm]["accuracy"] == [float((p.argmax(1) == np.arange(4)).mean()) for p in probabilities]
        own = [-np.log(p.astype(np.float64)[np.arange(4), np.arange(4)]).mean() for p in probabilities]
        assert found[arm]["log_loss"] == pytest.approx(own, rel=1e-5)


def test_every_row_has_the_label_draws_seeds_and_dae_of_the_first_replicates(asked):
    for jobs in asked.values():
        assert [job.labels.tolist() for job, _ in jobs] == [[6, 7], [4, 5], [2, 3]]
        assert [job.images[:, 0].tolist() for job, _ in jobs] == [[24, 28], [16, 20], [8, 12]]
        assert [job.seed for job, _ in jobs] == [11, 12, 13]
        assert [job.test_images.shape for job, _ in jobs] == [(4, PIXELS)] * 3
    starts = [job.encoder for job, _ in asked["with_masked"]]
    for found, number in zip(starts, (0, 1, 0), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(found, ENCODERS[number], strict=True))
    assert [job.encoder for job, _ in asked["plain"]] == [["controls plain", n] for n in (0, 1, 0)]


def test_each_row_changes_one_thing(asked, pipeline):
    params, _ = pipeline
    with_, without = (_classifiers.classifier_settings(params, arm) for arm in ("finetune", "baseline"))
    frozen = replace(with_, frozen=2, learning_rate=0.0625)
    first = {"learning_rate": 0.01, "dropout": 0.125, "masking": 0.25}
    expected = {
        "without_settings_of_with": (with_, None),
        "with_settings_of_without": (without, "own"),
        "shuffled": (with_, "other"),
        "plain": (with_, "controls plain"),
        "with_masked": (replace(with_, masking=0.375), "own"),
        "with_unmasked": (replace(with_, masking=0.0), "own"),
        "plain_masked": (replace(with_, masking=0.375), "controls plain"),
        "plain_unmasked": (replace(with_, masking=0.0), "controls plain"),
        "frozen": (frozen, "own"),
        "frozen_random": (frozen, "other"),
        "with_moved": (replace(with_, augment=True), "own"),
        "without_moved": (replace(without, augment=True), None),
        "with_unrescaled": (replace(with_, rescaled=False), "controls unrescaled"),
        "without_unrescaled": (replace(without, rescaled=False), None),
        "with_one_draw": (replace(with_, **first, steps=8), "controls first"),
        "without_one_draw": (replace(without, **first, steps=7), None),
    }

    def kind(start):
        if not len(start) or isinstance(start[0], str):
            return start[0] if len(start) else None
        return "own" if any(np.array_equal(start[0], one[0]) for one in ENCODERS) else "other"

    found = {name: [(settings, kind(job.encoder)) for job, settings in jobs] for name, jobs in asked.items()}
    assert found == {name: [how] * 3 for name, how in expected.items()}


def test_rows_with_daes_of_their_own_change_those_alone_and_train_them_once(rows, trained, pipeline):
    from stages._daes import dae_settings

    params, _ = pipeline
    rows.all()
    _, pretrained = trained
    usual = dae_settings(params)
    assert {name: set(settings) for name, settings, _, _ in pretrained} == {
        "controls plain": {replace(usual, noise=0.0)},
        "controls unrescaled": {replace(usual, rescaled=False)},
        "controls first": {replace(usual, corruption="gaussian", noise=0.5, epochs=3)},
        "controls elsewhere": {usual},
    }
    assert len(pretrained) == 4
    # of the other data set all its six images are seen, and of this one all its eight
    assert {name: n for name, _, n, _ in pretrained} == {
        f"controls {name}": n for name, n in (("plain", 8), ("unrescaled", 8), ("first", 8), ("elsewhere", 6))
    }
    assert {(len(settings), test) for _, settings, _, test in pretrained} == {(2, False)}


def test_a_shuffled_encoder_has_the_same_values_in_another_order(rows):
    shuffled = rows.shuffled()[1]()
    for found, one in zip(shuffled, ENCODERS, strict=True):
        for changed, array in zip(found, one, strict=True):
            assert changed.shape == array.shape
            assert sorted(changed.ravel()) == sorted(array.ravel())
        for kernel in (0, 2):
            for axis in (0, 1):  # values move between rows and between columns
                assert not np.array_equal(np.sort(found[kernel], axis), np.sort(one[kernel], axis))
    again = rows.shuffled()[1]()
    assert all(
        np.array_equal(a, b)
        for found, one in zip(shuffled, again, strict=True)
        for a, b in zip(found, one, strict=True)
    )


def test_untrained_encoders_fit_the_network_and_differ_by_number_alone(rows):
    _, start = rows.untrained()
    first, second = start()
    assert [array.shape for array in first] == [array.shape for array in ENCODERS[0]]
    assert not np.array_equal(first[0], second[0])
    assert all(np.array_equal(a, b) for a, b in zip(first, rows.untrained()[1]()[0], strict=True))


def test_averaged_baselines_are_those_of_the_main_pipeline_and_more_trainings(rows, trained, pipeline):
    """Each further training has the labels and settings of the baseline, and another seed."""
    params, _ = pipeline
    calls, _ = trained
    found = rows.averaged()
    assert list(found) == ["averaged_2", "averaged_4"]
    assert len(calls) == 3
    seeds = [[job.seed for job, _ in jobs] for jobs in calls]
    assert len({seed for ours in [RUNS["seed"], *seeds] for seed in ours}) == 5 + 9
    for jobs in calls:
        assert [settings for _, settings in jobs] == [_classifiers.classifier_settings(params, "baseline")] * 3
        assert [job.labels.tolist() for job, _ in jobs] == [[6, 7], [4, 5], [2, 3]]
        assert [len(job.encoder) for job, _ in jobs] == [0, 0, 0]
    truth = np.arange(4)
    for name, trainings in (("averaged_2", 1), ("averaged_4", 3)):
        losses = []
        for r in range(3):
            members = [answers(200 + r), *(answers(ours[r]) for ours in seeds[:trainings])]
            losses.append(-np.log(np.mean(members, axis=0, dtype=np.float64)[truth, truth]).mean())
        assert found[name]["log_loss"] == pytest.approx(losses, rel=1e-5)


def test_where_the_encoder_is_frozen_first_all_layers_go_on_from_the_first_half(rows, trained, pipeline):
    params, _ = pipeline
    calls, _ = trained
    free = _classifiers.classifier_settings(params, "finetune")
    frozen = replace(free, frozen=2, learning_rate=0.0625)
    found = rows.train_frozen_first(frozen, free)
    first, second = calls
    assert [settings for _, settings in first] == [replace(frozen, steps=4)] * 3
    assert [settings for _, settings in second] == [replace(free, steps=5)] * 3
    assert [job.encoder for job, _ in second] == [["weights", 1, n] for n in range(3)]
    assert [job.seed for job, _ in second] == [11, 12, 13]
    assert all(np.array_equal(job.encoder[0], ENCODERS[n][0]) for (job, _), n in zip(first, (0, 1, 0), strict=True))
    assert found["accuracy"] == [float((answers(seed).argmax(1) == np.arange(4)).mean()) for seed in (11, 12, 13)]


def test_elsewhere_both_arms_have_the_other_images_the_same_draws_and_their_own_settings(rows, trained, pipeline):
    params, _ = pipeline
    calls, _ = trained
    found = rows.elsewhere()
    arms = [("finetune", [["controls elsewhere", n] for n in (0, 1, 0)]), ("baseline", [()] * 3)]
    drawn = []
    for jobs, (arm, encoders) in zip(calls, arms, strict=True):
        assert [settings for _, settings in jobs] == [_classifiers.classifier_settings(params, arm)] * 3
        assert [job.encoder for job, _ in jobs] == encoders
        assert all((job.images == 0).all() and job.images.shape == (2, PIXELS) for job, _ in jobs)
        drawn.append([(job.labels.tolist(), job.seed) for job, _ in jobs])
    assert drawn[0] == drawn[1]
    assert len({seed for _, seed in drawn[0]}) == 3
    assert len({tuple(sorted(labels)) for labels, _ in drawn[0]}) > 1
    # there all test images are of class 3
    expected = [float((answers(seed).argmax(1) == 3).mean()) for _, seed in drawn[0]]
    assert found["with_elsewhere"]["accuracy"] == found["without_elsewhere"]["accuracy"] == expected


def test_answers_are_stored_and_not_asked_for_again(pipeline, trained, capfd):
    params, study_params = pipeline
    calls, pretrained = trained
    controls.main(params, study_params)
    assert "question 19/19" in capfd.readouterr().out
    files = [Path(f"reports/studies/controls.{kind}") for kind in ("csv", "json")]
    before = [file.read_text() for file in files]
    assert calls and pretrained
    calls.clear()
    pretrained.clear()
    controls.main(params, study_params)
    assert calls == pretrained == []
    assert [file.read_text() for file in files] == before
    draws = np.load("data/split/draws.npy")
    np.save("data/split/draws.npy", draws[::-1])
    controls.main(params, study_params)
    assert len(calls) == 16 + 2 + 3  # all but those elsewhere


def test_the_tables_have_every_row_and_comparison(pipeline, trained):
    controls.main(*pipeline)
    found = json.loads(Path("reports/studies/controls.json").read_text())
    table = pd.read_csv("reports/studies/controls.csv")
    assert found["replicates"] == 3
    assert set(found["contrasts"]) == set(CONTRASTS)
    assert sorted(table["row"].unique()) == sorted(found["rows"])
    assert table.groupby("row")["replicate"].apply(list).map(lambda numbers: numbers == [1, 2, 3]).all()
    means = table.groupby("row")[[*MEASURES]].mean()
    for name, measures in found["rows"].items():
        assert measures == pytest.approx(means.loc[name].to_dict(), abs=1e-5)
    for name, (one, other) in CONTRASTS.items():
        for measure in MEASURES:
            difference = means.loc[one, measure] - means.loc[other, measure]
            assert found["contrasts"][name][measure]["mean"] == pytest.approx(difference, abs=2e-5)


def test_replicates_are_compared_in_pairs():
    """The rows differ far more between replicates than in any of them, and by 0.01, 0.02 and 0.03."""
    one = {measure: [0.51, 0.72, 0.93] for measure in MEASURES}
    other = {measure: [0.5, 0.7, 0.9] for measure in MEASURES}
    found = contrast(one, other, 0.95)
    half = stats.t.ppf(0.975, 2) * 0.01 / np.sqrt(3)
    for measure in MEASURES:
        assert found[measure] == pytest.approx({"mean": 0.02, "low": 0.02 - half, "high": 0.02 + half}, abs=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("share", "holds"), [(0.9, False), (1.1, True)])
def test_a_difference_holds_where_the_interval_for_all_comparisons_excludes_0(share, holds, sign):
    """The mean is a little below and above the half of an interval of level 1 - 0.05 / number of comparisons."""
    deviations = np.array([-1.0, 0.0, 1.0, 0.0])
    half = stats.t.ppf(1 - 0.025 / len(CONTRASTS), 3) * deviations.std(ddof=1) / 2
    one = dict.fromkeys(MEASURES, sign * (deviations + share * half))
    found = contrast(one, dict.fromkeys(MEASURES, np.zeros(4)), 0.95)
    assert found["holds"] is holds
    low, high = found["accuracy"]["low"], found["accuracy"]["high"]
    assert low > 0 or high < 0  # for this comparison alone the interval excludes 0 in both cases


def test_other_seeds_are_those_that_a_name_derives(rows, trained):
    calls, _ = trained
    rows.probabilities(rows.own["without"], [()], "a name")
    rows.probabilities(rows.own["without"], [()])
    assert [[job.seed for job, _ in jobs] for jobs in calls] == [
        [derive(seed, "a name") for seed in (11, 12, 13)],
        [11, 12, 13],
    ]
