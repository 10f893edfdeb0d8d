"""What the stage pretrain and the studies share: the settings of the dAEs."""

from typing import TYPE_CHECKING, Any

from stages.common.params import Params

if TYPE_CHECKING:  # it imports TensorFlow
    from dae.denoising import DaeSettings


def dae_settings(params: Params, **changes: Any) -> "DaeSettings":
    """The settings of a dAE, from params.yaml; `changes` replace or add attributes."""
    from dae.denoising import DaeSettings

    how = params.pretrain.model_dump(exclude={"models"}) | {"corruption": params.corruption, "noise": params.noise}
    return DaeSettings(**({"units": tuple(params.network.units)} | how | changes))
