from dae.core.training import set_up_tensorflow

set_up_tensorflow()  # as the replicates do, so that they can also run in the tests' own process
