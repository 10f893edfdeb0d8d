"""Corruptions and their levels, against accuracy and PSNR: reports/studies/noise_curve.*."""

import numpy as np
import pandas as pd
from scipy import stats

from dae import figures
from stages._arm import recipe_of
from stages._params import Params
from stages._stage import save_figure, save_json, save_table
from studies._params import StudyParams
from studies._run import run_study
from studies._study import Study, question


def main(params: Params, study_params: StudyParams) -> None:
    settings, recipe = study_params.noise_curve, recipe_of(params)
    pairs = [(corruption, level) for corruption, levels in settings.levels.items() for level in sorted(levels)]
    study = Study(params, len(pairs) + 2, "studies.noise_curve")
    drawn = [study.draw("noise curve", r, params.n_labels) for r in range(settings.replicates)]

    def ask(corruption: str | None, level: float, encode) -> dict:
        asked = question(
            f"{corruption} {level:g}" if corruption else "without pre-training",
            recipe,
            corruption=[corruption, level],
            pretrain=params.pretrain.model_dump(),
            epochs=settings.epochs,
            draws=[settings.replicates, params.n_labels, params.split.stratified],
        )

        def answer() -> dict:
            encoder, quality = encode()
            return {"accuracies": study.test("noise curve", drawn, recipe, [encoder])} | quality

        return study.keep(asked, answer)

    baseline = ask(None, 0.0, lambda: ((), {}))
    rows = []
    for corruption, level in [("none", 0.0), *pairs]:
        kind = "masking" if corruption == "none" else corruption
        found = ask(
            corruption,
            level,
            lambda kind=kind, level=level: study.pretrain(
                f"noise curve {kind} {level:g}",
                params.network.units,
                epochs=settings.epochs,
                corruption=kind,
                noise=level,
                tied=params.pretrain.tied,
            ),
        )
        accuracies = np.array(found["accuracies"])
        rows.append(
            {
                "corruption": corruption,
                "level": level,
                "accuracy": accuracies.mean(),
                "std": accuracies.std(ddof=1),
                "psnr_noisy": found["noisy"],
                "psnr_denoised": found["denoised"],
            }
        )
    table = pd.DataFrame(rows)
    save_table("reports/studies/noise_curve.csv", table)
    best, clearest = table.loc[table["accuracy"].idxmax()], table.loc[table["psnr_denoised"].idxmax()]
    plain = table.iloc[0]
    noisy = table[table["level"] > 0]
    save_json(
        "reports/studies/noise_curve.json",
        {
            "without": round(float(np.mean(baseline["accuracies"])), 5),
            "plain": round(plain["accuracy"], 5),
            "best": describe(best),
            "clearest": describe(clearest),
            "rank_correlation": round(float(stats.spearmanr(noisy["psnr_denoised"], noisy["accuracy"]).statistic), 3),
        },
    )
    without = np.mean(baseline["accuracies"])
    save_figure("reports/studies/figures/noise_curve/noise_curve", figures.noise_curve, table, without)


def describe(row: pd.Series) -> dict:
    return {
        "corruption": row["corruption"],
        "level": row["level"],
        "accuracy": round(row["accuracy"], 5),
        "psnr": round(row["psnr_denoised"], 2),
    }


if __name__ == "__main__":
    run_study(main)
