"""Estimates pi: the share of random points in a square that also lie in its circle is pi / 4."""
import json
import os
import random
from pathlib import Path

STEPS = 10


def estimate(points, seed, output, measures, summary_path):
    dice = random.Random(seed)
    inside = 0
    for step in range(1, STEPS + 1):
        for _ in range(points // STEPS):
            inside += dice.random() ** 2 + dice.random() ** 2 <= 1
        pi = 4 * inside / (points // STEPS * step)
        measure = measures / "step" / str(step)
        measure.parent.mkdir(parents=True, exist_ok=True)
        measure.write_text(json.dumps(pi))
        print(f"seed {seed}, step {step}: {pi:.6f}", flush=True)
    summary_path.write_text(json.dumps({"pi": pi, "points": points // STEPS * STEPS}))
    (output / "pi.txt").write_text(f"{pi}\n")


def main():
    configuration = json.loads(Path(os.environ["CONFIGURATION_FILE"]).read_text())
    points = configuration["parameters"].get("points", 1_000_000)
    seed = configuration["parameters"].get("seed", 1)
    if "indices" not in configuration:
        estimate(points, seed, Path(configuration["output_directory"]), Path(configuration["measures_directory"]),
                 Path(configuration["summary_measures_path"]))
        return
    # A part of a composite execution: one estimate for each of its indices.
    for index in range(*configuration["indices"]["range"]):
        output, measures, summary = (
            Path(configuration[f"index_to_{key}"][str(index)])
            for key in ("output_directory", "measures_directory", "summary_measures_path")
        )
        estimate(points, seed + index, output, measures, summary)


if __name__ == "__main__":
    main()
