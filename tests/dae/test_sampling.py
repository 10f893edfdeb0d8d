import numpy as np
import pytest

from dae.core.seeds import derive
from dae.sampling import draw_labelled

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
