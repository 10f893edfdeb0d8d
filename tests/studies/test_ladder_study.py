import json
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from dae.classifiers import ClassifierResult
from dae.ladder import UNKNOWN
from stages._daes import dae_settings
from stages.common.errors import StageError
from stages.common.params import load_params
from studies import _study, ladder
from studies._params import load_study_params
from studies.ladder import PSEUDO_SHARE, Arms, InitialEncoders, check, outcome


def test_what_is_stored_of_a_training():
    probabilities = np.full((5, 10), 0.01, np.float32)
    probabilities[np.arange(5), [3, 4, 5, 6, 7]] = [0.91, 0.91, 0.5, 0.999, 0.75]
    found = outcome(probabilities, held_out=np.array([3, 9]), seconds=1.234)
    assert found == {"accuracy": 0.5, "seconds": 1.2, "predicted": [5, 6, 7], "percent": [50, 99, 75]}


@pytest.fixture
def arms(root, mnist, tmp_path, monkeypatch):
    """The study on 1,000 images, with a classifier that records what it is asked to learn."""
    monkeypatch.chdir(root)
    monkeypatch.setattr("studies.ladder.load_encoders", lambda models: [[np.zeros(1)]] * models)
    monkeypatch.setattr("studies._study.load_images", lambda path: mnist["train_images"][:1000].reshape(1000, -1))
    monkeypatch.setattr("studies._study.load_array", lambda path: mnist["train_labels"][:1000])
    monkeypatch.setattr(_study, "STORE", tmp_path)
    return Arms(load_params(root / "params.yaml"), load_study_params(root / "studies" / "params.yaml"))


def learnt_by_student(arms, monkeypatch, teacher, own):
    """The rows and labels that a pre-trained student learns where its teacher must be 95 % sure."""
    learnt = []

    def train_classifier_arm(what, name, settings, start, rows, labels, held_out):
        assert (settings, start) == (arms.student, arms.pretrained)
        learnt.extend(zip(rows, labels, strict=True))

    monkeypatch.setattr(arms, "train_classifier_arm", train_classifier_arm)
    arms.train_students("what", "name", arms.student, arms.pretrained, [teacher], 95, [own], held_out=[])
    ((rows, labels),) = learnt
    return rows, labels


def test_a_student_learns_its_own_labels_and_those_its_teacher_is_sure_of(arms, monkeypatch):
    own = np.arange(50)
    percent = np.where(np.arange(1000) < 350, 95, 94)  # sure of the first 350, of which it knows 50
    teacher = {"predicted": [7] * 1000, "percent": percent.tolist()}
    rows, labels = learnt_by_student(arms, monkeypatch, teacher, own)
    assert set(rows) == set(range(350))
    assert (labels[rows < 50] == arms.study.labels[rows[rows < 50]]).all()
    assert (labels[rows >= 50] == 7).all()
    assert np.mean(rows >= 50) == pytest.approx(PSEUDO_SHARE)


def test_a_student_whose_teacher_is_never_sure_learns_its_own_labels(arms, monkeypatch):
    teacher = {"predicted": [7] * 1000, "percent": [50] * 1000}
    rows, labels = learnt_by_student(arms, monkeypatch, teacher, np.arange(50))
    assert rows.tolist() == list(range(50))
    assert (labels == arms.study.labels[:50]).all()


def test_answers_are_stored_as_they_come_and_not_asked_for_again(arms):
    """Also where the work stops in the middle."""
    questions = [{"what": "words", "number": i} for i in range(4)]
    done = []

    def answers(missing):
        for i in missing:
            if i == 2 and len(done) < 3:
                raise KeyboardInterrupt
            done.append(i)
            yield {"number": i}

    with pytest.raises(KeyboardInterrupt):
        arms.study.cached_all(questions, answers)
    done.append("again")
    assert arms.study.cached_all(questions, answers) == [{"number": i} for i in range(4)]
    assert done == [0, 1, "again", 2, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_labels": [500, 77]}, "ladder asks for 3 replicates with 77 labels; allowed are at most the 0 of"),
        ({"replicates": 9}, "ladder asks for 9 replicates with 500 labels; allowed are at most the 6 of label_curve"),
    ],
)
def test_settings_that_do_not_fit_the_curve_as_it_was_drawn(changes, message, arms):
    arms.settings = arms.settings.model_copy(update=changes)
    curve = pd.DataFrame({"n_labels": np.repeat([100, 500, 600, 1000], 6)})
    with pytest.raises(StageError, match=message):
        check(arms, curve)


def test_the_threshold_is_the_lowest_of_the_best(arms, monkeypatch):
    """Students of teachers that are 80 % sure and 95 % sure are as good; folds hold out every labelled image once."""
    accuracies = {0: [0.5, 0.75], 80: [0.875, 0.875], 95: [1.0, 0.75], 99: [0.25, 0.25]}
    trained, taught = [], []

    def train_classifier_arm(what, name, settings, start, rows, labels, held_out):
        assert (settings, start) == (arms.base, arms.pretrained)
        trained.append((rows, labels, held_out))
        return "teachers"

    def train_students(what, name, settings, start, teachers, threshold, known, held_out):
        taught.append((settings, start, teachers, threshold))
        return [{"accuracy": accuracy} for accuracy in accuracies[threshold]]

    for method in (train_classifier_arm, train_students):
        monkeypatch.setattr(arms, method.__name__, method)
    arms.settings = arms.settings.model_copy(update={"thresholds": [99, 80, 0, 95], "validation_draws": 2})
    threshold, choice = arms.choose_threshold()
    assert threshold == 80
    assert choice == [
        {"threshold": 0, "accuracy": 0.625},
        {"threshold": 80, "accuracy": 0.875},
        {"threshold": 95, "accuracy": 0.875},
        {"threshold": 99, "accuracy": 0.25},
    ]
    assert taught == [(arms.student, arms.pretrained, "teachers", t) for t in (0, 80, 95, 99)]
    ((known, labels, held_out),) = trained
    assert [len(rows) for rows in known] == [400] * 10
    assert [len(images) for images, _ in held_out] == [100] * 10
    for fold, rows in enumerate(known):
        assert (labels[fold] == arms.study.labels[rows]).all()
    for draw in (0, 1):
        rows = np.sort(arms.study.draw("threshold", draw, 500))
        counts = np.bincount(np.concatenate(known[5 * draw : 5 * draw + 5]), minlength=1000)
        assert (counts == np.where(np.isin(np.arange(1000), rows), 4, 0)).all()
        of_rows = np.bincount(arms.study.labels[rows], minlength=10)
        held = np.concatenate([labels for _, labels in held_out[5 * draw : 5 * draw + 5]])
        assert (np.bincount(held, minlength=10) == of_rows).all()


@pytest.fixture
def trained(arms, monkeypatch):
    """What every arm is asked to train, by the number of labels."""

    def ask(n_labels):
        asked = {}

        def train_classifier_arm(what, name, settings, start, rows, labels, held_out):
            asked[what] = (settings, start)
            assert [len(draw) for draw in rows] == [n_labels] * arms.replicates(n_labels)
            assert all((arms.study.labels[draw] == own).all() for draw, own in zip(rows, labels, strict=True))
            return what

        def train_students(what, name, settings, start, teachers, threshold, known, held_out):
            asked[what] = (settings, start, teachers, threshold)
            return what

        def train_ladder_arm(what, name, known, costs, epochs, held_out):
            asked[f"{what}, {epochs}"] = costs
            return f"{what}, {epochs}"

        for method in (train_classifier_arm, train_students, train_ladder_arm):
            monkeypatch.setattr(arms, method.__name__, method)
        return arms.train(n_labels, threshold=90), asked

    return ask


def test_each_arm_is_trained_with_its_own_settings_start_and_teacher(arms, trained):
    found, asked = trained(500)
    assert found == {
        "with": "with, 500 labels",
        "ladder_fast": "ladder, 25",
        "ladder": "ladder, 60",
        "ladder_gamma": "Gamma model, 60",
        "pseudo": "pseudo: student of with, 500 labels",
        "pseudo_conv": "pseudo_conv: student of with, 500 labels",
        "ladder_pseudo": "ladder_pseudo: student of ladder, 500 labels",
        "ladder_conv": "ladder_conv: student of ladder, 500 labels",
        "pushed": "pushed, 500 labels",
        "pushed_moved": "pushed_moved, 500 labels",
    }
    assert asked["ladder, 60"] == asked["ladder, 25"] == [1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1]
    assert asked["Gamma model, 60"] == [0, 0, 0, 0, 0, 0, 5.0]  # 0.01 for each of 500 labels
    assert asked[found["with"]] == (arms.base, arms.pretrained)
    assert asked[found["pseudo"]] == (arms.student, arms.pretrained, found["with"], 90)
    assert asked[found["pseudo_conv"]] == (arms.convolutional, arms.random, found["with"], 90)
    assert asked[found["ladder_pseudo"]] == (arms.student, arms.pretrained, found["ladder"], 90)
    assert asked[found["ladder_conv"]] == (arms.convolutional, arms.random, found["ladder"], 90)
    pushed, start = asked[found["pushed"]]
    assert (pushed, start) == (arms.pushed, arms.pushed_start)
    assert (pushed.units, pushed.learning_rate, pushed.augment) == ((1000, 1000, 1000), 0.0001, False)
    moved, start = asked[found["pushed_moved"]]
    assert (moved.augment, start) == (True, arms.pushed_start)
    assert (arms.student.steps, arms.student.batch_size, arms.student.units) == (6000, 100, (512, 256, 128))
    assert (arms.convolutional.convolutional, arms.convolutional.augment) == (True, True)
    assert arms.random.encoders() == [()]


def test_the_pushed_dae_has_its_own_size_and_noise_and_is_trained_once(arms, monkeypatch):
    asked = []

    def pretrain(study, name, settings, test=True):
        asked.append((name, settings, test))
        return [("an encoder", {})]

    monkeypatch.setattr(_study.Study, "pretrain", pretrain)
    assert arms.pushed_start.encoders() == arms.pushed_start.encoders() == ["an encoder"]
    ((name, (settings,), test),) = asked
    assert settings == dae_settings(arms.params, units=(1000, 1000, 1000), noise=0.75, epochs=50)
    assert (name, test) == ("pushed", False)


def test_elsewhere_there_is_no_fast_ladder(trained):
    found, asked = trained(100)
    assert "ladder_fast" not in found
    assert asked["Gamma model, 60"] == [0, 0, 0, 0, 0, 0, 1.0]


def test_the_study_puts_its_arms_together(root, tmp_path, monkeypatch, drawn_by):
    """Two draws with 500 labels, the main budget, and two with 100; students need their teacher's time too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports/studies").mkdir(parents=True)
    curve = {
        "n_labels": [100, 100, 100, 500, 500, 500],
        "replicate": [1, 2, 3, 1, 2, 3],
        "without": [0.5, 0.5, 0.9, 0.7, 0.8, 0.1],
        "with": [0.6, 0.6, 0.9, 0.8, 0.9, 0.1],
    }
    pd.DataFrame(curve).to_csv("reports/studies/label_curve.csv", index=False)

    class Known:
        def __init__(self, params, study_params):
            self.params, self.settings = params, study_params.ladder

        def replicates(self, n_labels):
            return 2

        def choose_threshold(self):
            return 80, ["a choice"]

        def train(self, n_labels, threshold):
            assert threshold == 80
            best = {500: 0.95, 100: 0.85}[n_labels]
            seconds = {"with": 60, "ladder": 600, "pseudo": 30, "ladder_conv": 120}
            return {
                arm: [{"accuracy": best, "seconds": s, "predicted": []}, {"accuracy": best, "seconds": s + 12}]
                for arm, s in seconds.items()
            }

    monkeypatch.setattr(ladder, "Arms", Known)
    drawn = drawn_by(ladder)
    params, study_params = load_params(root / "params.yaml"), load_study_params(root / "studies" / "params.yaml")
    settings = study_params.ladder.model_copy(update={"n_labels": [100, 500]})
    ladder.main(params, study_params.model_copy(update={"ladder": settings}))
    found = json.loads((tmp_path / "reports/studies/ladder.json").read_text())
    assert (found["threshold"], found["choice"]) == (80, ["a choice"])
    # 0.7 and 0.8: t with 1 degree of freedom is 12.7062, the half of the interval 12.7062 * 0.05 = 0.63531
    assert [tuple(row.values()) for row in found["rows"]] == [
        (500, "without", 0.75, 0.11469, 1.38531, None),
        (500, "with", 0.95, 0.95, 0.95, 1.1),  # 66 seconds
        (500, "ladder", 0.95, 0.95, 0.95, 10.1),
        (500, "pseudo", 0.95, 0.95, 0.95, 1.7),  # 36 and the 66 of its teacher
        (500, "ladder_conv", 0.95, 0.95, 0.95, 12.2),  # 126 and the 606 of its teacher
        (100, "without", 0.5, 0.5, 0.5, None),
        (100, "with", 0.85, 0.85, 0.85, 1.1),
        (100, "ladder", 0.85, 0.85, 0.85, 10.1),
        (100, "pseudo", 0.85, 0.85, 0.85, 1.7),
        (100, "ladder_conv", 0.85, 0.85, 0.85, 12.2),
    ]
    table = pd.read_csv("reports/studies/ladder.csv")
    assert table[table["arm"] == "pseudo"].to_numpy().tolist() == [
        [500, "pseudo", 1, 0.95, 90],
        [500, "pseudo", 2, 0.95, 114],
        [100, "pseudo", 1, 0.85, 90],
        [100, "pseudo", 2, 0.85, 114],
    ]
    (shown,) = drawn["ladder"]
    counts = shown.groupby(["arm", "n_labels"]).size().to_dict()
    curves, trained = (
        {("with", 100): 3, ("with", 500): 3, ("without", 100): 3, ("without", 500): 3},
        ("ladder", "pseudo", "ladder_conv"),
    )
    assert counts == curves | {(arm, n): 2 for arm in trained for n in (100, 500)}


def test_classifiers_take_the_encoders_in_turn_and_their_time_is_that_of_one_core(arms, monkeypatch):
    """Four draws take 100 seconds in two processes: 50 seconds of a core each."""
    given = []

    def train(jobs, n_jobs):
        assert n_jobs == 2
        for job, settings in jobs:
            assert settings is arms.base
            given.append(job)
        answers = np.eye(10)[np.r_[np.arange(4), arms.study.labels]]
        return [ClassifierResult(answers, [], [], np.empty((0, 0))) for _ in given]

    monkeypatch.setattr(ladder, "train_classifiers", train)
    monkeypatch.setattr(ladder, "n_jobs", lambda: 2)
    monkeypatch.setattr(ladder, "time", Mock(monotonic=Mock(side_effect=[1000.0, 1100.0])))
    rows = [np.arange(10 * i, 10 * i + 10) for i in range(4)]
    labels = [np.full(10, i) for i in range(4)]
    held_out = [(arms.study.images[:4], np.array([0, 1, 2, 9]))] * 4
    start = InitialEncoders("key", lambda: [["first"], ["second"], ["third"]])
    found = arms.train_classifier_arm("what", "name", arms.base, start, rows, labels, held_out)
    assert [answer["accuracy"] for answer in found] == [0.75] * 4
    assert [answer["seconds"] for answer in found] == [50.0] * 4
    assert found[0]["predicted"] == arms.study.labels.tolist()
    assert [job.encoder for job in given] == [["first"], ["second"], ["third"], ["first"]]
    for i, job in enumerate(given):
        assert (job.images == arms.study.images[10 * i : 10 * i + 10]).all()
        assert job.labels.tolist() == [i] * 10
        assert job.test_images.shape == (1004, 784)
    assert len({job.seed for job in given}) == 4


def test_a_ladder_knows_the_labels_of_its_draw_alone(arms, monkeypatch):
    given, used = [], []

    def train(jobs, settings, n_jobs):
        used.append(settings)
        for job in jobs:
            given.append(job)
            yield Mock(probabilities=np.eye(10)[np.r_[np.arange(4), arms.study.labels]], seconds=12.34)

    monkeypatch.setattr(ladder, "train_ladders", train)
    known = [np.array([3, 5]), np.array([7, 11])]
    held_out = [(arms.study.images[:4], np.array([0, 1, 2, 3]))] * 2
    found = arms.train_ladder_arm("what", "name", known, [1.0, 2.0], 5, held_out)
    assert [(answer["accuracy"], answer["seconds"]) for answer in found] == [(1.0, 12.3)] * 2
    (settings,) = used
    assert (settings.costs, settings.epochs, settings.noise, settings.batch_size) == ((1.0, 2.0), 5, 0.3, 250)
    for job, rows in zip(given, known, strict=True):
        assert np.flatnonzero(job.labels != UNKNOWN).tolist() == rows.tolist()
        assert (job.labels[rows] == arms.study.labels[rows]).all()
        assert (job.images == arms.study.images).all()
        assert (job.test_images[:4] == held_out[0][0]).all()
    assert given[0].seed != given[1].seed
