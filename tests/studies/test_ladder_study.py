import numpy as np
import pandas as pd
import pytest

from stages._params import load_params
from stages._stage import StageError
from studies import _study
from studies._params import load_study_params
from studies.ladder import PSEUDO_SHARE, Arms, check, describe


def test_what_is_kept_of_a_training():
    probabilities = np.full((5, 10), 0.01, np.float32)
    probabilities[np.arange(5), [3, 4, 5, 6, 7]] = [0.91, 0.91, 0.5, 0.999, 0.75]
    found = describe(probabilities, held_out=np.array([3, 9]), seconds=1.234)
    assert found == {"accuracy": 0.5, "seconds": 1.2, "predicted": [5, 6, 7], "percent": [50, 99, 75]}


@pytest.fixture
def arms(root, mnist, tmp_path, monkeypatch):
    """The study on 1,000 images, with a classifier that records what it is asked to learn."""
    monkeypatch.chdir(root)
    monkeypatch.setattr("studies.ladder.load_encoders", lambda models: [[np.zeros(1)]] * models)
    monkeypatch.setattr("studies._study.load_images", lambda path: mnist["train_images"][:1000].reshape(1000, -1))
    monkeypatch.setattr("studies._study.load_array", lambda path: mnist["train_labels"][:1000])
    monkeypatch.setattr(_study, "KEPT", tmp_path)
    return Arms(load_params(root / "params.yaml"), load_study_params(root / "studies" / "params.yaml"))


def test_a_student_learns_its_own_labels_and_those_its_teacher_is_sure_of(arms, monkeypatch):
    asked = {}
    monkeypatch.setattr(arms, "classify", lambda *arguments: asked.update(zip("wnrtslh", arguments, strict=True)))
    own = np.arange(50)
    percent = np.where(np.arange(1000) < 350, 95, 94)  # sure of the first 350, of which it knows 50
    teacher = {"predicted": [7] * 1000, "percent": percent.tolist()}
    arms.teach("what", "name", arms.student, arms.pretrained, [teacher], 95, [own], held_out=[])
    (rows,), (labels,) = asked["s"], asked["l"]
    assert asked["r"] == arms.student
    assert set(rows) == set(range(350))
    assert (labels[rows < 50] == arms.study.labels[rows[rows < 50]]).all()
    assert (labels[rows >= 50] == 7).all()
    assert np.mean(rows >= 50) == pytest.approx(PSEUDO_SHARE)


def test_a_student_whose_teacher_is_never_sure_learns_its_own_labels(arms, monkeypatch):
    asked = {}
    monkeypatch.setattr(arms, "classify", lambda *arguments: asked.update(zip("wnrtslh", arguments, strict=True)))
    arms.teach(
        "what",
        "name",
        arms.student,
        arms.pretrained,
        [{"predicted": [7] * 1000, "percent": [50] * 1000}],
        95,
        [np.arange(50)],
        held_out=[],
    )
    assert asked["s"][0].tolist() == list(range(50))
    assert (asked["l"][0] == arms.study.labels[:50]).all()


def test_answers_are_kept_as_they_come_and_not_asked_for_again(arms):
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
        arms.study.keep_all(questions, answers)
    done.append("again")
    assert arms.study.keep_all(questions, answers) == [{"number": i} for i in range(4)]
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


def test_the_defaults_fit(arms):
    check(arms, pd.read_csv("reports/studies/label_curve.csv"))
