import numpy as np
import pytest

from dae.core.seeds import derive
from dae.sampling import UNLABELLED, count_classes, draw_labelled, examples

LABELS = np.repeat(np.arange(10), 30).astype(np.uint8)


@pytest.mark.parametrize("stratified", [False, True])
def test_draws_are_distinct_rows_that_follow_the_seed(stratified):
    first, again, other = (draw_labelled(LABELS, 105, seed, stratified) for seed in (1, 1, 2))
    assert len(set(first.tolist())) == 105
    assert first.dtype == np.int32
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stratified_draws_hold_almost_as_many_of_every_class():
    counts = np.bincount(LABELS[draw_labelled(LABELS, 105, 1, stratified=True)])
    assert sorted(counts) == [10] * 5 + [11] * 5


@pytest.mark.parametrize("stratified", [False, True])
def test_more_than_there_are_is_refused(stratified):
    with pytest.raises(ValueError, match="larger sample"):
        draw_labelled(LABELS, 301, 1, stratified)


@pytest.mark.parametrize("stratified", [False, True])
def test_images_without_a_label_are_never_drawn(stratified):
    labels = np.where(np.arange(300) % 3 == 0, UNLABELLED, LABELS).astype(np.uint8)
    drawn = labels[draw_labelled(labels, 60, 1, stratified)]
    assert UNLABELLED not in drawn
    if stratified:
        assert np.bincount(drawn).tolist() == [6] * 10
    # all that there are, in another order for another seed, however many each class has
    first, second = (draw_labelled(labels, 200, seed, stratified) for seed in (1, 2))
    assert sorted(first) == np.flatnonzero(labels != UNLABELLED).tolist()
    assert not np.array_equal(first, second)


def test_any_number_of_classes_is_drawn_from():
    labels = np.repeat(np.arange(23), 5).astype(np.uint8)
    assert count_classes(np.append(labels, np.uint8(UNLABELLED))) == 23
    assert np.bincount(labels[draw_labelled(labels, 46, 1, stratified=True)]).tolist() == [2] * 23


def test_examples_take_the_classes_in_turn():
    labels = np.array([1, 1, UNLABELLED, 0, 2, 1, 0, 2], np.uint8)
    assert examples(labels, 5).tolist() == [3, 0, 4, 6, 1]
    assert examples(labels, 100).tolist() == [3, 0, 4, 6, 1, 7, 5]
    assert LABELS[examples(LABELS, 10)].tolist() == [*range(10)]


def test_derived_seeds_never_change():
    """All committed results rest on them."""
    assert derive(42, "replicate", 0) == 457628754
    assert derive(42, "replicate", 1) == 657652522
    assert derive(42, "theory", "queries") == 759588313
    assert derive(42, "tune", 3, 1) == 1865755946
    assert derive(0, "label curve 500", 2, "seed") == 672625712


def test_derived_seeds_differ_by_name_and_by_seed():
    names = [("replicate", r) for r in range(1000)] + [("split", r) for r in range(1000)]
    seeds = {derive(42, *name) for name in names}
    assert len(seeds) == 2000
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derive(42, "replicate", 0) != derive(43, "replicate", 0)
