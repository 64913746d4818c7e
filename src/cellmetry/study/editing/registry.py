"""All operations that edit labels, by the words that call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import UnknownName
from cellmetry.study.editing.drawing import Brush, Draw, Erase
from cellmetry.study.editing.filling import Fill, FillHoles
from cellmetry.study.editing.growing import Grow, Shrink
from cellmetry.study.editing.objects import Delete, DeleteInside, Merge, MergeAlong, PartApart, Relabel
from cellmetry.study.editing.planes import CopyPlane
from cellmetry.study.editing.replacing import Replace
from cellmetry.study.editing.splitting import Split, Watershed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.study.editing.operation import EditOperation

__all__ = ["EDIT_OPERATIONS", "operation_schemas", "parse_operation"]

_ALL: tuple[type[EditOperation], ...] = (
    *(Brush, Erase, Draw, FillHoles, Fill),
    *(Merge, MergeAlong, Split, Watershed, PartApart),
    *(Delete, DeleteInside, Grow, Shrink, Relabel),
    *(CopyPlane, Replace),
)
EDIT_OPERATIONS: dict[str, type[EditOperation]] = {each.name: each for each in _ALL}
"""Name of an operation: its class."""


def parse_operation(name: str, parameters: Mapping[str, Any]) -> EditOperation:
    """Return the operation that a request asks for.

    Raises
    ------
    UnknownName
        If there is no such operation or parameter; says the nearest right word.
    ParameterError
        If a parameter is missing or does not fit.
    """
    if name not in EDIT_OPERATIONS:
        raise UnknownName("operation", name, EDIT_OPERATIONS)
    return parse_parameters(EDIT_OPERATIONS[name], parameters, where=name)


def operation_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schema of the parameters of each operation."""
    return {name: kind.model_json_schema() for name, kind in EDIT_OPERATIONS.items()}
