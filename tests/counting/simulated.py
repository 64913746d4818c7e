"""Simulated counts with the faults of real counters: cells merged in crowds, a biased and noisy density."""

from __future__ import annotations

import numpy as np
import pandas as pd


def simulate(rng: np.random.Generator, images: int) -> pd.DataFrame:
    """Return truth, instances and density of exchangeable images: log-normal counts, of which some are crowded."""
    truth = np.rint(np.exp(rng.normal(3.0, 1.1, images)))
    crowding = rng.beta(1, 6, images)
    merged = rng.binomial(truth.astype(int), 0.3 * crowding)
    false = rng.poisson(0.01 * truth + 0.1)
    density = truth * rng.normal(0.98, 0.05, images) + rng.normal(0, 0.4, images) - 0.1 * merged
    return pd.DataFrame({"truth": truth, "instances": truth - merged + false, "density": np.maximum(density, 0)})
