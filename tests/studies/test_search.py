from dataclasses import replace

import numpy as np
import pytest

from dae.classifiers import ClassifierJob, ClassifierResult, ClassifierSettings
from studies import _search, _study
from studies._search import SECTIONS, TUNED, Tried


def tried(steps, dae=None, way="free", **changes):
    settings = ClassifierSettings(
        units=(4,), dropout=0.25, masking=0.25, batch_size=10, steps=steps, learning_rate=0.001
    )
    return Tried(replace(settings, **changes), dae, way)


LEAST, MOST = ("masking", 0.5, 2), ("gaussian", 1.0, 1)


def test_each_draw_is_tested_on_the_labelled_images_of_all_others_and_on_none_of_its_own(search):
    """Though draws overlap, each image is tested once."""
    searched = search()
    draws = [searched.study.draw("tune", draw, 200).tolist() for draw in range(4)]
    seeds = set()
    for draw, own in enumerate(draws):
        others = np.concatenate(draws[:draw] + draws[draw + 1 :]).tolist()
        assert len(set(others)) < len(others)
        assert set(own) & set(others)
        train, out, seed = searched.against_others(draw)
        assert train.tolist() == own
        assert sorted(out.tolist()) == sorted(set(others) - set(own))
        seeds.add(seed)
    assert len(seeds) == 4


def test_each_round_has_draws_of_its_own(search, monkeypatch):
    searched, asked = search(), []

    def cross_validate(study, configurations, tests):
        asked.append([(train.tolist(), out.tolist(), seed) for ((train, out, seed),) in tests])
        return [{"accuracies": [0.5] * len(tests), "temperatures": [1.0] * len(tests)}]

    monkeypatch.setattr(_search, "cross_validate", cross_validate)
    for number in (0, 1):
        searched.score("without", [tried(1)], number)
    splits = [searched.against_others(draw) for draw in range(4)]
    expected = [(train.tolist(), out.tolist(), seed) for train, out, seed in splits]
    assert asked == [expected[:1], expected[1:]]
    assert searched.scores["without"] == {tried(1): [0.5] * 4}


def test_random_configurations_are_all_different_and_in_their_ranges(search):
    space = {"learning_rate": [1e-5, 1e-2], "dropout": [0.1, 0.2], "masking": [0.0, 0.8], "steps": [500, 4000]}
    searched = search()
    searched.settings = searched.settings.model_copy(update={"space": searched.settings.space.model_copy(update=space)})
    sizes = {"without": 3, "with": 4}
    searched.arms = {arm: replace(searched.arms[arm], batch_size=size) for arm, size in sizes.items()}
    for arm, size in sizes.items():
        found = searched.random(arm, 200, "free")
        assert len(set(found)) == len(found) == 200
        assert {one.way for one in found} == {"free"}
        assert {one.settings.batch_size for one in found} == {size}
        assert {one.settings.frozen for one in found} == {0}
        for name, (low, high) in space.items():
            values = np.array([getattr(one.settings, name) for one in found])
            assert low <= values.min() and values.max() <= high
            # half of them lie in each half of the range; a learning rate's halves meet at its logarithm's middle
            middle = np.sqrt(low * high) if name == "learning_rate" else (low + high) / 2
            assert 70 < (values < middle).sum() < 130, name
        assert all(isinstance(one.settings.steps, int) for one in found)
        daes = {None} if arm == "without" else set(_search.combinations(searched.settings))
        assert {one.dae for one in found} == daes


def test_random_configurations_are_the_same_again_and_others_by_seed_arm_stream_and_name(search):
    searched, other = search(), search(name="pushed")
    first = searched.random("with", 5, "free")
    assert searched.random("with", 5, "free") == first
    others = [
        searched.random("without", 5, "free"),
        searched.random("with", 5, "frozen"),
        other.random("with", 5, "free"),
    ]
    searched.params = searched.params.model_copy(update={"seed": 1})
    others.append(searched.random("with", 5, "free"))
    values = {tuple(getattr(found[0].settings, name) for name in TUNED) for found in (first, *others)}
    assert len(values) == 5


def test_an_encoder_is_frozen_in_all_ways_with_the_same_settings(search):
    searched, ways = search(), ("frozen", "frozen_first")
    found = searched.random("with", 3, "frozen", ways)
    assert [one.way for one in found] == ["frozen", "frozen_first"] * 3
    assert [replace(one, way="") for one in found[::2]] == [replace(one, way="") for one in found[1::2]]
    assert len({one.settings for one in found}) == 3
    assert searched.random("with", 0, "frozen", ways) == []


def test_a_search_changes_the_settings_of_its_arms_and_has_draws_and_daes_of_its_own(search, monkeypatch):
    """Here a wider network, whose dAEs are as wide, and are trained once."""
    pretrained = []

    def pretrain(study, name, settings, test=True):
        assert not test
        pretrained.append((name, {how.units for how in settings}))
        return [([number], {}) for number in range(len(settings))]

    monkeypatch.setattr(_study.Study, "pretrain", pretrain)
    monkeypatch.setattr(_search, "cross_validate", known([]))
    wide, usual = search("pushed", lambda found: replace(found, units=(77, 7), batch_size=5)), search()
    for arm in SECTIONS:
        assert {(one.settings.units, one.settings.batch_size) for one in wide.random(arm, 9, "free")} == {((77, 7), 5)}
    assert wide.against_others(0)[2] != usual.against_others(0)[2]
    assert set(wide.draws[0].tolist()) != set(usual.draws[0].tolist())
    wide.search("with")
    assert pretrained == [("pushed", {(77, 7)})]


def known(asked):
    """Trainings that all have the same accuracy, but the first of them a higher one; tells what was asked for."""

    def cross_validate(study, configurations, tests):
        for one, encoder in configurations:
            asked.append((one, encoder, len(tests)))
            accuracy = 0.75 if len(asked) == 1 else 0.5
            yield {"accuracies": [accuracy] * len(tests), "temperatures": [1.0] * len(tests)}

    return cross_validate


def test_a_search_asks_as_many_questions_as_it_says_and_more_only_for_those_beside_the_best(search, monkeypatch):
    asked = []
    monkeypatch.setattr(_search, "cross_validate", known(asked))
    searched = search()
    searched.search("without")
    assert len(asked) == _search.n_questions(searched.settings) == 32 + 5 + 7 + 1
    assert searched.ranked("without")[0] == asked[0][0] == asked[-1][0]
    free, last, again = searched.random("without", 32, "free"), [], search()
    monkeypatch.setattr(_search, "cross_validate", known(last))
    monkeypatch.setattr(_study, "STORE", _study.STORE / "another")
    again.search("without", beside=[free[7]])
    assert [one for one, *_ in last[-2:]] == [free[7], free[0]]
    assert len(last) == len(asked) + 1


def test_each_configuration_starts_from_its_own_dae(search, monkeypatch):
    monkeypatch.setattr(
        _study.Study,
        "pretrain",
        lambda study, name, settings, test=True: [((how.corruption, how.noise, how.epochs), {}) for how in settings],
    )
    asked = []
    monkeypatch.setattr(_search, "cross_validate", known(asked))
    searched = search()
    searched.score("with", searched.random("with", 20, "free"), 1)
    assert [(encoder, tests) for _, encoder, tests in asked] == [(one.dae, 3) for one, *_ in asked]
    assert len({encoder for _, encoder, _ in asked}) > 4


def test_a_baseline_needs_no_dae(search, monkeypatch):
    asked = []
    monkeypatch.setattr(_study.Study, "pretrain", lambda *arguments, **more: pytest.fail("it trained a dAE"))
    monkeypatch.setattr(_search, "cross_validate", known(asked))
    searched = search()
    searched.search("without")
    assert {one.dae for one, *_ in asked} == {None}
    assert all(encoder == [] for _, encoder, _ in asked)


SPACE = {"learning_rate": [1e-5, 1e-2], "dropout": [0.0, 0.7], "masking": [0.1, 0.8], "steps": [505, 4000]}


@pytest.fixture
def space(settings):
    """Settings of tune with few dAEs and with these ranges, or others."""

    def make(**changes):
        found = settings().tune
        return found.model_copy(update={"space": found.space.model_copy(update=SPACE | changes)})

    return make


def parent(place, **changes):
    """A configuration in the middle of its ranges, known again by its batch size, `place`."""
    middle = {"learning_rate": 0.00032, "dropout": 0.35, "masking": 0.45, "steps": 2300}
    return tried(**(middle | changes | {"batch_size": place}), dae=LEAST)


def test_those_near_the_best_move_every_value_a_little_and_apart_from_each_other(space):
    """By 15 % of the range, as a standard deviation; for a learning rate of the range of its logarithm."""
    found = _search.near([parent(1)], 400, space(), seed=0)
    assert len(set(found)) == 400
    assert {one.way for one in found} == {"free"}
    assert all(isinstance(one.settings.steps, int) for one in found)
    middle, places = parent(1).settings, []
    for name, (low, high) in SPACE.items():
        values = [getattr(one.settings, name) for one in found]
        assert np.mean([value == getattr(middle, name) for value in values]) < 0.1, name
        values, low, high = map(np.log, (values, low, high)) if name == "learning_rate" else (values, low, high)
        places.append((np.array(values) - low) / (high - low))
    assert np.mean(places, axis=1) == pytest.approx([0.5] * 4, abs=0.03)
    assert np.std(places, axis=1) == pytest.approx([0.15] * 4, rel=0.12)
    assert np.abs(np.corrcoef(places) - np.eye(4)).max() < 0.2


def test_those_near_the_edges_stay_in_the_ranges(space):
    low, high = ({name: ends[end] for name, ends in SPACE.items()} for end in (0, 1))
    found = _search.near([parent(1, **low), parent(2, **high)], 200, space(), seed=0)
    for name, (least, most) in SPACE.items():
        values = np.array([getattr(one.settings, name) for one in found])
        assert (values.min(), values.max()) == (least, most), name
        # those that would leave the range lie on its end
        assert 0.3 < np.isin(values, [least, most]).mean() < 0.7, name


def test_only_the_four_best_are_parents(space):
    found = _search.near([parent(place) for place in (5, 3, 6, 2, 4, 1)], 200, space(), seed=0)
    children = np.bincount([one.settings.batch_size for one in found], minlength=7)
    assert children[[1, 4]].tolist() == [0, 0]
    assert (children[[2, 3, 5, 6]] > 25).all()


def test_those_near_have_their_parents_dae_or_as_often_any(space):
    """Of eight dAEs, so that their parent's has half of them and an eighth of the other half."""
    tuning = space()
    found = [one.dae for one in _search.near([parent(1)], 800, tuning, seed=0)]
    counts = {dae: found.count(dae) / 800 for dae in _search.combinations(tuning)}
    assert counts.pop(LEAST) == pytest.approx(0.5625, abs=0.06)
    assert list(counts.values()) == pytest.approx([0.0625] * 7, abs=0.03)
    without = replace(parent(1), dae=None)
    assert {one.dae for one in _search.near([without], 20, tuning, seed=0)} == {None}


def test_those_near_are_none_that_was_tried(space):
    """Ranges in which all but the dropout round to one value: of six configurations, four were tried."""
    narrow = {"learning_rate": [0.001, 0.001001], "masking": [0.1, 0.1001], "steps": [100, 101], "dropout": [0.1, 0.15]}
    values = {"learning_rate": 0.001, "masking": 0.1, "steps": 100}
    known = [tried(**values, dropout=dropout) for dropout in (0.1, 0.12, 0.13, 0.15)]
    found = _search.near(known, 2, space(**narrow), seed=0)
    assert sorted(one.settings.dropout for one in found) == [0.11, 0.14]


def test_those_near_are_the_same_again_and_others_with_another_seed(space):
    ranked = [parent(1), parent(2)]
    first = _search.near(ranked, 10, space(), seed=3)
    assert _search.near(ranked, 10, space(), seed=3) == first
    assert not set(_search.near(ranked, 10, space(), seed=4)) & set(first)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("learning_rate", 0, 1e-5),
        ("learning_rate", 1 / 3, 1e-4),  # a decade of three
        ("learning_rate", 0.5, 0.00032),
        ("learning_rate", 1, 1e-2),
        ("dropout", 0, 0.0),
        ("dropout", 0.5, 0.35),
        ("dropout", 0.111, 0.078),
        ("dropout", 1, 0.7),
        ("masking", 0.5, 0.45),
        ("masking", 1, 0.8),
        ("steps", 0, 505),  # two digits of it would lie outside
        ("steps", 0.5, 2300),
        ("steps", 1, 4000),
    ],
)
def test_a_value_is_that_at_its_place_in_the_range_rounded_to_two_digits(space, name, place, value):
    found = _search.value_at(name, place, space().space)
    assert found == value
    assert type(found) is (int if name == "steps" else float)


@pytest.mark.parametrize("name", TUNED)
def test_the_place_of_a_value_is_the_inverse(space, name):
    ranges = space().space
    low, high = SPACE[name]
    assert (_search.place_of(name, low, ranges), _search.place_of(name, high, ranges)) == pytest.approx((0, 1))
    for place in np.linspace(0, 1, 41):
        value = _search.value_at(name, place, ranges)
        assert _search.place_of(name, value, ranges) == pytest.approx(place, abs=0.015)
        again = _search.value_at(name, _search.place_of(name, value, ranges), ranges)
        assert again == value


@pytest.mark.parametrize(
    ("changes", "dae", "edges"),
    [
        ({}, None, []),
        ({"learning_rate": 1.1e-5}, None, ["learning_rate"]),
        ({"learning_rate": 2e-5}, None, []),  # a tenth of the range of the logarithm
        ({"learning_rate": 9e-3}, None, ["learning_rate"]),
        ({"dropout": 0.0}, None, []),  # less than none is impossible
        ({"dropout": 0.69}, None, ["dropout"]),
        ({"masking": 0.79, "steps": 510}, None, ["masking", "steps"]),
        ({"steps": 4000}, None, []),  # more would cost more than the main pipeline may
        ({}, ("masking", 0.5, 2), ["noise"]),
        ({}, ("masking", 0.65, 2), []),
        ({}, ("masking", 0.75, 2), ["noise"]),
    ],
)
def test_edges_are_those_beyond_which_the_best_might_lie(settings, changes, dae, edges):
    tuning = settings().tune
    space = {"learning_rate": [1e-5, 1e-2], "dropout": [0.0, 0.7], "masking": [0.0, 0.8], "steps": [500, 4000]}
    daes = tuning.daes.model_copy(update={"levels": {"masking": [0.75, 0.5, 0.65]}})
    tuning = tuning.model_copy(update={"space": tuning.space.model_copy(update=space), "daes": daes})
    assert _search.edges(tried(**({"steps": 2000} | changes), dae=dae), tuning) == edges


def test_cross_validation_scores_the_splits_of_a_test_together(params, small_study, monkeypatch):
    """Of the first test's images 80 % are classified correctly, of the second's 90 %, always 95 % sure.

    Where the wrong classes are equally probable, the best temperature makes the sureness the share that is correct.
    """
    given = []

    def train(jobs, n_jobs):
        for number, (job, settings) in enumerate(jobs):
            given.append((job, settings))
            truth = study.labels[[rows_of[image.tobytes()] for image in job.test_images]]
            wrong = np.arange(len(truth)) < (20 if number % 3 == 0 else (2 if number % 3 == 1 else 6))
            probabilities = np.full((len(truth), 10), 0.05 / 9, np.float32)
            probabilities[np.arange(len(truth)), np.where(wrong, (truth + 1) % 10, truth)] = 0.95
            yield ClassifierResult(probabilities, [], [], np.empty((0, 0)))

    study = _study.Study(params, 100, "studies.tune")
    rows_of = {image.tobytes(): row for row, image in enumerate(study.images)}
    monkeypatch.setattr(_search, "train_classifiers", train)
    rows = np.arange(10, 400)
    tests = [
        [(rows[:50], rows[50:150], 7)],
        [(rows[200:240], rows[300:320], 8), (rows[240:300], rows[320:380], 9)],  # of 20 and of 60 images
    ]
    one, other = tried(1, LEAST), tried(2, MOST, "frozen")
    found = list(_search.cross_validate(study, [(one, ["a"]), (other, ["b"])], tests))
    best = [round(float(np.log(9 * 0.95 / 0.05) / np.log(9 * p / (1 - p))), 2) for p in (0.8, 0.9)]
    assert [answer["accuracies"] for answer in found] == [[0.8, 0.9]] * 2
    for answer in found:
        assert answer["temperatures"] == pytest.approx(best, abs=0.011)
    assert [job.encoder for job, _ in given] == [["a"]] * 3 + [["b"]] * 3
    assert [settings for _, settings in given] == [one.settings] * 3 + [replace(other.settings, frozen=1)] * 3
    splits = [split for splits in tests for split in splits]
    for (job, _), (train_rows, out, seed) in zip(given, splits * 2, strict=True):  # the same of both configurations
        assert (job.images == study.images[train_rows]).all()
        assert (job.labels == study.labels[train_rows]).all()
        assert (job.test_images == study.images[out]).all()
        assert job.seed == seed
    assert "test_images" not in vars(study)


def test_an_encoder_that_is_frozen_first_is_trained_from_where_the_first_half_ends(monkeypatch):
    """Results keep the order of the jobs, whatever their ways."""
    calls = []

    def train(jobs, n_jobs):
        calls.append([])
        for number, (job, settings) in enumerate(jobs):
            calls[-1].append((job.encoder, settings))
            yield ClassifierResult(np.empty(0), [], [len(calls), number], np.empty(0))

    monkeypatch.setattr(_search, "train_classifiers", train)
    job = ClassifierJob(np.empty(0), np.empty(0), np.empty(0), ["encoder"], seed=1)
    ways = [tried(11, MOST, way) for way in ("free", "frozen_first", "frozen", "frozen_first")]
    found = [result.weights for result in _search.train_in_ways((job, one) for one in ways)]
    assert found == [[1, 0], [2, 0], [1, 2], [2, 1]]
    whole = ways[0].settings
    half = replace(whole, frozen=1, steps=5)
    assert calls[0] == [(["encoder"], s) for s in (whole, half, replace(whole, frozen=1), half)]
    rest = replace(whole, steps=6, learning_rate=0.0001)
    assert calls[1] == [([1, 1], rest), ([1, 3], rest)]


def test_all_weights_of_the_first_half_go_on(mnist, monkeypatch):
    """A second half that changes nothing leaves the classifier of the first, with the encoder as it was."""
    monkeypatch.setattr(_search, "GENTLE", 0.0)
    monkeypatch.setenv("DAE_JOBS", "1")
    images, labels = mnist["train_images"][:60].reshape(60, -1), mnist["train_labels"][:60]
    encoder = [np.random.default_rng(0).normal(0, 0.05, (784, 4)).astype(np.float32), np.zeros(4, np.float32)]
    job = ClassifierJob(images[:50], labels[:50], images[50:], encoder, seed=1)
    first, free = tried(20, MOST, "frozen_first"), tried(10, MOST)
    found, begun, other = _search.train_in_ways([(job, first), (job, replace(free, way="frozen")), (job, free)])
    assert all(np.array_equal(a, b) for a, b in zip(found.weights, begun.weights, strict=True))
    assert np.array_equal(found.probabilities, begun.probabilities)
    assert np.array_equal(found.weights[0], encoder[0])
    assert not np.array_equal(other.weights[0], encoder[0])
