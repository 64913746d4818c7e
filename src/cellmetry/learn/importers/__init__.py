"""Importers: annotations in the formats of others become data sets; `IMPORTERS` lists them."""

from __future__ import annotations

from cellmetry.core.registry import Registry

__all__ = ["IMPORTERS"]

_HERE = "cellmetry.learn.importers"

IMPORTERS = Registry(
    "importer",
    {
        "pairs": f"{_HERE}.pairs:Pairs",
        "instance-pngs": f"{_HERE}.instance_pngs:InstancePngs",
        "outlines": f"{_HERE}.outlines:Outlines",
        "rle-csv": f"{_HERE}.rle_csv:RleCsv",
        "coco": f"{_HERE}.coco:Coco",
        "cellpose": f"{_HERE}.cellpose:Cellpose",
        "roi-zips": f"{_HERE}.roi_zips:RoiZips",
        "boxes": f"{_HERE}.boxes:Boxes",
        "points": f"{_HERE}.points:Points",
        "tile-scan": f"{_HERE}.tile_scan:TileScan",
        "bbbc038": f"{_HERE}.instance_pngs:Bbbc038",
        "bbbc039": f"{_HERE}.bbbc039:Bbbc039",
        "bbbc041": f"{_HERE}.boxes:Bbbc041",
        "livecell": f"{_HERE}.coco:LiveCell",
        "nuinsseg": f"{_HERE}.nuinsseg:NuInsSeg",
        "sartorius": f"{_HERE}.rle_csv:Sartorius",
        "usiigaci": f"{_HERE}.pairs:Usiigaci",
    },
    "cellmetry.importers",
)
"""Name → importer: the general formats first, then public data sets as they are distributed."""
