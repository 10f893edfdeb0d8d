"""Corruptions and levels, against accuracy and PSNR, on the label curve's draws: reports/studies/noise_curve.*."""

import numpy as np
import pandas as pd
from scipy import stats

from reporting.noise_curve import figures
from stages._classifiers import classifier_settings
from stages._daes import dae_settings
from stages._figures import save_figure
from stages.common.files import save_json, save_table
from stages.common.params import Params
from studies._params import StudyParams, run_study
from studies._study import Study, paired, question


def main(params: Params, study_params: StudyParams) -> None:
    """Pre-train with each corruption and level; compare the classifiers' accuracy with the dAE's PSNR."""
    settings = study_params.noise_curve
    allowed: dict[str, list[float]] = settings.levels
    levels = [(corruption, level) for corruption, found in allowed.items() for level in sorted(found)]
    study = Study(params, len(levels) + 2, "studies.noise_curve")
    without = answer(study, study_params, None, 0.0)["accuracies"]
    rows = []
    for corruption, level in [("none", 0.0), *levels]:
        found = answer(study, study_params, corruption, level)
        rows.append(
            {
                "corruption": corruption,
                "level": level,
                "accuracy": np.mean(found["accuracies"]),
                **paired(found["accuracies"], without, params.evaluate.confidence),
                "psnr_noisy": found["noisy"],
                "psnr_denoised": found["denoised"],
            }
        )
    table = pd.DataFrame(rows)
    save_table("reports/studies/noise_curve.csv", table)
    noisy = table[table["level"] > 0]  # a plain autoencoder does not denoise, so it is not in the rank correlation
    save_json(
        "reports/studies/noise_curve.json",
        {
            "without": round(float(np.mean(without)), 5),
            "plain": round(table.iloc[0]["accuracy"], 5),
            "best": summary(table.loc[table["accuracy"].idxmax()]),
            "clearest": summary(table.loc[table["psnr_denoised"].idxmax()]),
            "rank_correlation": round(float(stats.spearmanr(noisy["psnr_denoised"], noisy["accuracy"]).statistic), 3),
        },
    )
    save_figure("reports/studies/figures/noise_curve/noise_curve", figures.noise_curve, table, params.evaluate.margin)


def answer(study: Study, study_params: StudyParams, corruption: str | None, level: float) -> dict:
    """Pre-train with a corruption at a level, then train and test classifiers.

    Args:
        study: has the data and the store.
        study_params: the studies' parameters.
        corruption: `none` for a plain autoencoder, None for no pre-training.
        level: see `dae.core.images.corrupt`.

    Returns:
        Test `accuracies` of the classifiers, fractions. With pre-training also the PSNR in dB of the `noisy` and the
        `denoised` test images, means over the dAEs; None for images without noise.
    """
    params, settings = study.params, study_params.noise_curve
    classifier = classifier_settings(params, "finetune" if corruption else "baseline")
    asked = question(
        f"{corruption} {level:g}" if corruption else "without pre-training",
        classifier,
        corruption=[corruption, level],
        pretrain=params.pretrain.model_dump(),
        daes=[settings.models, settings.epochs],
        draws=[settings.replicates, params.n_labels, params.split.stratified],
    )

    def compute() -> dict:
        encoders: list[list[np.ndarray]] = [[]]
        quality: dict[str, float | None] = {}
        if corruption:
            kind = "masking" if corruption == "none" else corruption  # at level 0 all corruptions are the same
            how = dae_settings(params, corruption=kind, noise=level, epochs=settings.epochs)
            found = study.pretrain(f"noise curve {kind} {level:g}", [how] * settings.models)
            encoders = [encoder for encoder, _ in found]
            values = {name: [psnr[name] for _, psnr in found] for name in ("noisy", "denoised")}
            # without noise, the PSNR of the noisy images has no value
            quality = {name: None if None in each else float(np.mean(each)) for name, each in values.items()}
        name = f"label curve {params.n_labels}"
        draws = [study.draw(name, r, params.n_labels) for r in range(settings.replicates)]
        return {"accuracies": study.test(name, draws, classifier, encoders)} | quality

    return study.cached(asked, compute)


def summary(row: pd.Series) -> dict:
    """The row of one corruption and level, rounded: accuracy as a fraction, PSNR in dB."""
    return {
        "corruption": row["corruption"],
        "level": row["level"],
        "accuracy": round(row["accuracy"], 5),
        "psnr": round(row["psnr_denoised"], 2),
    }


if __name__ == "__main__":
    run_study(main)
