"""How a study runs."""

from collections.abc import Callable

from stages._params import Params
from stages._stage import run
from studies._params import StudyParams, check, load_study_params


def run_study(main: Callable[[Params, StudyParams], None]) -> None:
    """Run a study with both files of parameters checked; errors as of `stages._stage.run`."""

    def checked(params: Params) -> None:
        study_params = load_study_params()
        check(params, study_params)
        main(params, study_params)

    run(checked)
