"""How often intervals of generated EdU studies hold the truth: six conditions on three days, tables only.

    python benchmarks/edu_coverage.py [--seeds 200]

Each study is compared as `cellmetry compare` does; the truth of each condition is known to the generator.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor

import pandas as pd
from scipy.stats import binomtest

from cellmetry.learn.generate.edu import EduOptions, generate_edu_tables
from cellmetry.stats.comparison.compare import compare
from cellmetry.stats.comparison.options import CompareOptions

VALUES = {"positive": "fraction", "edu": "edu"}


def held(seed: int) -> list[tuple[str, str, bool, bool, bool]]:
    """Return for each value and condition whether its two intervals hold the truth, and the order is right."""
    made = generate_edu_tables(EduOptions(seed=seed))
    truth = made.conditions.set_index("condition")
    found = []
    for value, column in VALUES.items():
        order = tuple(truth.index)
        result = compare(made.cells, CompareOptions(value=value, control=order[0], order=order))
        means = result.groups.set_index("condition")["mean"]
        right = list(means.sort_values().index) == list(truth[column].sort_values().index)
        for row in result.contrasts.to_dict("records"):
            true = truth.loc[row["condition"], column] - truth.loc[row["reference"], column]
            inside = row["ci_low"] <= true <= row["ci_high"]
            together = row["simultaneous_low"] <= true <= row["simultaneous_high"]
            found.append((value, row["condition"], inside, together, right))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    seeds = parser.parse_args().seeds
    with ProcessPoolExecutor(2) as pool:
        rows = [row for found in pool.map(held, range(seeds)) for row in found]
    table = pd.DataFrame(rows, columns=["value", "contrast", "interval", "simultaneous", "order"])
    for value, part in table.groupby("value"):
        inside = part["interval"]
        ends = binomtest(int(inside.sum()), len(inside)).proportion_ci()
        families = part["simultaneous"].to_numpy().reshape(seeds, -1).all(axis=1).mean()
        print(
            f"{value}: {inside.mean():.1%} of {len(inside)} intervals hold the truth ({ends.low:.1%} to "
            f"{ends.high:.1%}); "
            f"all five simultaneous ones in {families:.1%} of studies; conditions in the true order in "
            f"{part['order'].mean():.1%}"
        )
        each = part.groupby("contrast", sort=False)["interval"].mean()
        print("  " + ", ".join(f"{name} {share:.1%}" for name, share in each.items()))


if __name__ == "__main__":
    main()
