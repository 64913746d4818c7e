"""Generated microscope fields that look real, with exact truth, for training and tests."""

from __future__ import annotations

from cellmetry.learn.generate.field import GeneratedField, generate_field
from cellmetry.learn.generate.look import KINDS, STYLES, FieldLook, Kind

__all__ = ["KINDS", "STYLES", "FieldLook", "GeneratedField", "Kind", "generate_field"]
