"""How a study runs."""

from collections.abc import Callable

from stages._params import Params
from stages._stage import run
from studies._params import StudyParams, load_study_params


def run_study(main: Callable[[Params, StudyParams], None]) -> None:
    """Run a study with both files of parameters checked; errors as of `stages._stage.run`."""
    run(lambda params: main(params, load_study_params()))
