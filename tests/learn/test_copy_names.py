"""Names of augmented copies lead to their original; other names are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.learn.copy_names import original_name


@pytest.mark.parametrize(
    "ending",
    [
        *("_rotated137_", "_rotated_137", "_rot90", "_rot_-45", "_rot12.5", "_rotate90deg", "_rotation_2", "-Rot90"),
        *("_aug", "_aug3", "_aug_03", "_augmented", "_augmented_2", ".augmentation1", " aug 4"),
        *("_flip", "_flipped", "_flip_h", "_fliplr", "_flipud", "_flip_horizontal", "_flipped_vertically", "_flip-1"),
        *("_hflip", "_v_flip", "_horizontal_flip", "_mirror", "_mirrored", "_mirror_x", "_transposed", "_inverted"),
        *("_rot90_flip", "_aug3_rotated45_", "__rot90"),
    ],
)
def test_endings_of_copies_are_taken_off(ending: str) -> None:
    assert original_name(f"cell{ending}") == "cell"
    assert original_name(f"B02_1{ending}") == "B02_1"


@pytest.mark.parametrize(
    "name",
    [
        *("cell", "cell_", "cell_90", "cell_h", "cell_1", "cell-2", "rot90", "_rot90", "aug_3", "flip", "cellrot90"),
        *("carrot", "protein_rotor", "cell_rotten", "august_3", "cell_august", "cell_parrot", "cell_flipper"),
        *("cell_rot90_dapi", "rotated_cell", "cell_aug_3_7", "cell_inverter"),
    ],
)
def test_other_names_stay(name: str) -> None:
    assert original_name(name) == name


@given(st.text(min_size=1, max_size=30))
def test_something_is_always_left_and_nothing_more_comes_off(name: str) -> None:
    left = original_name(name)
    assert left
    assert name.startswith(left)
    assert original_name(left) == left
