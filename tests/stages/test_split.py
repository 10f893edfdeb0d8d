import numpy as np
import pandas as pd
import pytest

from stages import split
from stages.common.errors import StageError
from stages.common.params import load_params


@pytest.fixture
def params_with(root):
    """The parameters with another number of replicates, repeats and dAEs."""

    def make(replicates, repeats, models, **changes):
        params = load_params(root / "params.yaml")
        parts = {
            "split": params.split.model_copy(update={"repeats": repeats}),
            "pretrain": params.pretrain.model_copy(update={"models": models}),
        }
        return params.model_copy(update={"seed": 42, "replicates": replicates} | parts | changes)

    return make


def test_replicates_take_the_daes_in_turn_and_repeats_pair_each_with_each(params_with):
    runs = split.plan(params_with(replicates=10, repeats=9, models=3))
    assert runs["draw"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert runs["dae"].tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert runs["repeat"].tolist() == [False] * 10 + [True] * 9
    first, again = runs[:9]["dae"], runs[10:]["dae"]
    assert len(set(zip(first, again, strict=True))) == 9


def test_more_repeats_than_pairs_of_daes_begin_anew(params_with):
    runs = split.plan(params_with(replicates=7, repeats=6, models=2))
    assert runs["dae"].tolist() == [0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0]


def test_there_are_never_more_repeats_than_replicates(params_with):
    runs = split.plan(params_with(replicates=2, repeats=9, models=1))
    assert runs[["draw", "dae", "repeat"]].to_numpy().tolist() == [
        [0, 0, False],
        [1, 0, False],
        [0, 0, True],
        [1, 0, True],
    ]


def test_every_run_has_a_seed_of_its_own_that_never_changes(params_with):
    seeds = split.plan(params_with(replicates=20, repeats=9, models=3))["seed"].tolist()
    assert len(set(seeds)) == 29
    assert [seeds[0], seeds[1], seeds[20]] == [457628754, 657652522, 102502351]


def test_the_plan_and_the_draws_are_written_as_they_were_made(params_with, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = params_with(replicates=3, repeats=2, models=2, n_labels=40)
    (tmp_path / "data" / "raw").mkdir(parents=True)
    np.save("data/raw/train_labels.npy", np.repeat(np.arange(10), 30).astype(np.uint8))
    split.main(params)
    draws = np.load("data/split/draws.npy")
    assert draws.shape == (3, 40)
    assert all(len(set(draw)) == 40 for draw in draws.tolist())
    assert len({tuple(draw) for draw in draws.tolist()}) == 3
    pd.testing.assert_frame_equal(pd.read_csv("data/split/runs.csv"), split.plan(params))

    stratified = params.split.model_copy(update={"stratified": True})
    split.main(params.model_copy(update={"split": stratified}))
    for draw in np.load("data/split/draws.npy"):
        assert np.bincount(draw // 30).tolist() == [4] * 10
    with pytest.raises(StageError, match=r"n_labels is 310, with split\.stratified: .*larger sample"):
        split.main(params.model_copy(update={"split": stratified, "n_labels": 310}))
