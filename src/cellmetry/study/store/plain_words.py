"""Sentences that may be told to anybody: without the folders of this computer."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cellmetry.settings import models_folder

if TYPE_CHECKING:
    from cellmetry.study.store.store import Store

__all__ = ["plain_words"]


_MOVED = """
SELECT * FROM (
  SELECT name, json_extract(moved.value, '$') AS whole, json_extract(near.value, '$') AS place FROM files
  JOIN said AS moved ON moved.subject = files.id AND moved.key = 'whole'
  JOIN said AS near ON near.subject = files.id AND near.key = 'place' AND near.act = moved.act
) WHERE instr(?1, whole) OR instr(?1, ifnull(place, whole))
"""
"""Originals that acts found in another place (`originals.find_moved`)."""


def plain_words(store: Store, text: str) -> str:
    """Return a text in which files are called as their users do, the study by its folder's name, code by its module.

    Originals and files that were sent lose their folders, since who may see a study need not know where the server
    keeps its files.
    """
    if os.sep not in text:
        return text
    rows = store.database.rows(
        "SELECT name, whole, place FROM files WHERE instr(?1, whole) OR instr(?1, ifnull(place, whole))", (text,)
    )
    rows += store.database.rows(_MOVED, (text,))
    called = {row["whole"]: row["name"] for row in rows}
    called |= {str(store.folder / row["place"]): row["name"] for row in rows if row["place"]}
    called |= {str(folder): store.folder.name for folder in (store.folder, store.folder.resolve())}
    called[str(models_folder())] = "the folder of models"
    called |= {f"{folder.rstrip(os.sep)}{os.sep}": "" for folder in sys.path if len(Path(folder).parts) > 1}
    for place in sorted(called, key=len, reverse=True):
        text = text.replace(place, called[place])
    return re.sub(rf"{re.escape(store.folder.name)}[/\\\\]uploads[/\\\\]upl_[0-9a-f]{{16}}[/\\\\]", "", text)
