"""Generated microscope fields that look real, with exact truth, for training and tests."""

from __future__ import annotations

from cellmetry.learn.generate.field import GeneratedField, generate_field
from cellmetry.learn.generate.look import KINDS, STYLES, FieldLook, Kind
from cellmetry.learn.generate.writing import GenerationPlan, write_generated

__all__ = [
    "KINDS",
    "STYLES",
    "FieldLook",
    "GeneratedField",
    "GenerationPlan",
    "Kind",
    "generate_field",
    "write_generated",
]
