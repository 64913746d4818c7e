"""Tables of cells with known truth, shared by the tests of comparisons."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


def table_of(groups, names=None) -> pd.DataFrame:
    """Return a table with one cell for each replicate: the value of each, by condition."""
    rows = [
        {"condition": condition, "replicate": names[place] if names else f"{condition}-{place}", "y": value}
        for condition, values in groups.items()
        for place, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def study(conditions=2, replicates=4, *, shared=True, effect=0.5, seed=0, cells=60) -> pd.DataFrame:
    """Return cells of a study with replicate effects, images and wells; with shared labels also effects of the day."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(cells // 2, cells * 2, (conditions, replicates))
    effects = rng.normal(0, 0.5, (conditions, replicates)) + shared * rng.normal(0, 1, replicates)
    condition, replicate = np.repeat(np.indices(sizes.shape).reshape(2, -1), sizes.ravel(), axis=1)
    value = 10 + effect * condition + effects[condition, replicate] + rng.normal(0, 1, len(condition))
    table = pd.DataFrame({"condition": condition, "replicate": replicate, "y": value, "positive": value > 10.5})
    field = rng.integers(0, 5, len(table))
    table["well"] = "B0" + pd.Series(field % 2).astype(str)
    table["image"] = table["condition"].astype(str) + table["replicate"].astype(str) + pd.Series(field).astype(str)
    table["replicate"] = table["replicate"].astype(str) if shared else table["image"].str[:2]
    return table.assign(condition="c" + table["condition"].astype(str))


@pytest.fixture(scope="session")
def make_table():
    return table_of


@pytest.fixture(scope="session")
def make_study():
    return study
