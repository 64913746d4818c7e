"""What the name of a licence says by itself: whether it is one at all, and whether it forbids commercial use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, ValidationInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NonCommercial", "forbids_commerce", "is_known", "stated_by_licence"]

_UNKNOWN = {"unknown", "not known", "none", "noassertion", "n/a", "other", "?"}
_POINTER = re.compile(r"(see|ask)\b", re.IGNORECASE)
_FORBIDDING = {"nc", "noncommercial", "ncgl"}


def is_known(licence: str) -> bool:
    """Return whether `licence` names terms, rather than "unknown" or a place where they are, as "see the home page"."""
    text = licence.strip().rstrip(".").casefold()
    return bool(text) and text not in _UNKNOWN and not _POINTER.match(text)


def forbids_commerce(licence: str) -> bool:
    """Return whether a part of the identifier `licence` says so: NC, as in CC-BY-NC-4.0, or Noncommercial."""
    return not _FORBIDDING.isdisjoint(re.split(r"[\W_]+", licence.casefold()))


def stated_by_licence(values: Mapping[str, Any]) -> bool:
    """Return what the field `licence` says of commercial use: the default of a field `NonCommercial` after it."""
    return forbids_commerce(values.get("licence", ""))


def _not_against_licence(value: bool, info: ValidationInfo) -> bool:
    if not value and stated_by_licence(info.data):
        raise ValueError(
            f"must be true, or left out, because the licence {info.data['licence']} forbids commercial use"
        )
    return value


NonCommercial = Annotated[bool, AfterValidator(_not_against_licence)]
"""Whether a licence forbids commercial use; false is refused where the field `licence`, which stands before, does."""
