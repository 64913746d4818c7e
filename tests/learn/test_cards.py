"""What the card of a trained model says of its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.engines.network import NetworkEngine
from cellmetry.learn.cards import calibrate_counts
from cellmetry.learn.dataset import read_data_set
from cellmetry.models.store import find_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def test_the_calibration_of_a_card_names_its_model_and_leaves_out_unfamiliar_images(
    discs: Callable[..., Path], tmp_path: Path, tiny_models: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NetworkEngine, "unfamiliarity", lambda *_: 1.4)
    model = find_model(tiny_models(tmp_path / "model"))
    items = [("discs", item) for item in read_data_set(discs(count=17)).items]
    counting = calibrate_counts(model, fitted_on=items[:8], images=items[8:])
    assert counting is not None
    assert counting["counted_by"] == {"engine": "cellmetry", "model": "tiny", "sha256": model.card.sha256}
    assert counting["largest_unfamiliarity"] == 1
    assert (counting["images_fitted"], counting["images"], counting["data"]) == (8, 9, "discs (test)")
    assert calibrate_counts(model, fitted_on=items[:7], images=items[8:]) is None
