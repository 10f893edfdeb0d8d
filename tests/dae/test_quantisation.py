import numpy as np
import pytest

from dae.quantisation import quantise


@pytest.mark.parametrize(("bits", "largest"), [(8, 127), (16, 32767)])
def test_each_unit_is_rounded_to_a_step_of_its_own(bits, largest):
    kernel = np.random.default_rng(0).normal(0, [1, 0.01, 100], (500, 3)).astype(np.float32)
    numbers, steps = quantise(kernel, bits)
    assert numbers.dtype.itemsize == bits // 8
    assert steps.dtype == np.float32
    assert (np.abs(numbers).max(axis=0) == largest).all()
    assert (np.abs(numbers * steps - kernel) <= 0.51 * steps).all()
    assert np.allclose(steps, np.abs(kernel).max(axis=0) / largest)


def test_a_unit_without_weights_stays_so():
    numbers, steps = quantise(np.zeros((4, 2), np.float32), 8)
    assert not numbers.any()
    assert (steps == 1).all()
