"""One-shot work in real processes: the labels of a run, limits, crashes, turns."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from cellmetry.core.labels import labels_hash
from cellmetry.io.labels import read_labels
from cellmetry.ops.synthetic import blobs_image
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.oneshot.limits import OneShotLimits
from cellmetry.pipeline.oneshot.pool import OneShotPool, PoolBusy
from cellmetry.pipeline.oneshot.task import FileTask
from cellmetry.pipeline.recipe import load_recipe
