"""Surroundings: the objects of a block with enough of the field around them, and rings of background round them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import Box
from cellmetry.measure.runs import runs_of
from cellmetry.ops.distance import nearest_labels

if TYPE_CHECKING:
    from cellmetry.measure.blocks import Block

__all__ = ["joined_block", "ring_block", "wide_block"]


def wide_block(block: Block, reach: int) -> Block:
    """Return the same objects in a part of the field that also decides all pixels within `reach` px of them.

    A pixel belongs to its nearest object, which lies up to twice the reach away from the objects of this block.
    """
    margin = 2 * reach + 1
    height, width = block.field.image.sizes["Y"], block.field.image.sizes["X"]
    box = Box(max(0, block.box.y0 - margin), min(height, block.box.y1 + margin), 0, width)
    labels = block.field.read_labels(box)
    return replace(block, box=box, labels=labels, runs=runs_of(labels, block.objects.ids))


def ring_block(block: Block, gap_px: int, width_px: int) -> Block:
    """Return rings of background in place of the objects: from `gap_px` to `gap_px` + `width_px` beyond each.

    Distances are between pixel centres, in each plane by itself; a pixel belongs to the object nearest to it.
    """
    rings = np.stack([nearest_labels(plane, gap_px, gap_px + width_px) for plane in block.labels])
    return replace(block, labels=rings, runs=runs_of(rings, block.objects.ids))


def joined_block(block: Block, rings: Block) -> Block:
    """Return the objects together with their rings."""
    labels = np.where(block.labels > 0, block.labels, rings.labels)
    return replace(block, labels=labels, runs=runs_of(labels, block.objects.ids))
