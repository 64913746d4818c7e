"""Tables of a study and the labels of which they tell, which may have been changed or replaced since."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ParameterError
from cellmetry.study.store.images import images
from cellmetry.study.store.labels import label_sets
from cellmetry.study.store.results import result

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.results import StoredResult
    from cellmetry.study.store.store import Store

__all__ = ["names_in_table", "other_labels", "planes_apart", "refuse_other_labels", "stored_table"]

_SHOWN = 3


def stored_table(store: Store, result_id: str) -> StoredResult:
    """Return a table by its id, also a hidden one.

    Raises
    ------
    UnknownName, ParameterError
        If there is none, or the result is no table.
    """
    found = result(store, result_id)
    if found.kind != "table":
        raise ParameterError(f"{found.name!r} ({result_id}) is a {found.kind}, not a table; give the id of a table.")
    return found


def names_in_table(found: StoredResult) -> dict[str, str]:
    """Return the names that images have in a table, by their ids.

    Raises
    ------
    ParameterError
        If two have one name: then nobody can tell their rows apart.
    """
    names = {image_id: str(said["name"]) for image_id, said in _images(found).items()}
    twice = next((name for name, count in Counter(names.values()).items() if count > 1), None)
    if twice is not None:
        raise ParameterError(
            f"The table {found.name} has two images named {twice}, whose rows cannot be told apart; remove one of "
            f"these images, and make the table again."
        )
    return names


def other_labels(store: Store, found: StoredResult) -> str:
    """Return the sentence that says that a table tells of other labels than there are now; empty if it does not."""
    here = {each.id for each in images(store)}
    said = [each for image_id, each in _images(found).items() if image_id in here and "labels" in each]
    if any(each["labels"] is None for each in said):
        return (
            f"The table {found.name} tells what a recipe found, without what was corrected by hand; the job measure "
            f"makes a table of the labels as they are now."
        )
    versions = {each.id: each.version for each in label_sets(store)}
    old = [str(each["name"]) for each in said if versions.get(each["labels"]) != each["version"]]
    if not old:
        return ""
    more = ", …" if len(old) > _SHOWN else ""
    return (
        f"The table {found.name} was measured before labels of {len(old)} of its images were changed "
        f"({', '.join(old[:_SHOWN])}{more}); measure again for the numbers of now."
    )


def planes_apart(table: pd.DataFrame) -> str:
    """Return the sentence that says that cells of some images were measured plane by plane; empty if none were."""
    if not {"image", "z"} <= set(table.columns):
        return ""
    planes = table.groupby("image", observed=True)["z"].nunique()
    names = [str(name) for name in planes.index[planes > 1]]
    if not names:
        return ""
    more = ", …" if len(names) > _SHOWN else ""
    return (
        f"Each plane of the Z stacks {', '.join(names[:_SHOWN])}{more} ({len(names)} in all) was measured by itself, "
        f"so a cell that is seen in several planes counts several times; find the cells again in the projection "
        f"(stack=max) or as volumes (stack=volume) to count each once."
    )


def refuse_other_labels(found: StoredResult, labels: LabelSet, version: int, name: str) -> None:
    """Refuse to give objects the numbers of a table that does not tell of these labels in this version.

    Parameters
    ----------
    name
        Of the image, for the sentence.

    Raises
    ------
    ParameterError
        If it does not; says to measure again.
    """
    said = _images(found).get(labels.image_id)
    if said is None or (said.get("labels"), said.get("version")) != (labels.id, version):
        raise ParameterError(
            f"The table {found.name} does not tell of the labels {labels.name} of {name} as they are now; measure them "
            f"again, and give that table."
        )


def _images(found: StoredResult) -> Mapping[str, Mapping[str, Any]]:
    said: Mapping[str, Mapping[str, Any]] = found.details.get("images", {})
    return said
