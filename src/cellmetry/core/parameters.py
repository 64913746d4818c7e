"""Reading parameters from text or recipes, with errors in plain words and the nearest right name."""

from __future__ import annotations

from reprlib import Repr
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from cellmetry.errors import ParameterError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.core.step import Parameters

__all__ = ["check_type", "parse_parameters"]

_LIST_HINT = ' A list is written [1, 2] or ["size", "shape"], in quotes on the command line.'

_SHORT = Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 20
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200

P = TypeVar("P", bound="Parameters")


def parse_parameters(kind: type[P], values: Mapping[str, Any], *, where: str) -> P:
    """Return parameters of type `kind` made from `values`; text is read as the field's type.

    Raises
    ------
    UnknownName
        If a name is unknown; says the nearest right one.
    ParameterError
        If a value is missing or does not fit.
    """
    unknown = sorted(set(values) - set(kind.model_fields))
    if unknown:
        raise UnknownName(f"parameter of {where} called", unknown[0], kind.model_fields)
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        name = "".join(f"{part}." for part in first["loc"])[:-1]
        given = "" if first["type"] in ("missing", "value_error") else f", not {_SHORT.repr(first['input'])}"
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        hint = _LIST_HINT if first["type"] in ("tuple_type", "list_type") else ""
        raise ParameterError(
            f"{where}: {f'{name}: ' if name else ''}{message[0].lower()}{message[1:]}{given}.{hint}"
        ) from error


def check_type(value: object, kind: type, verb: str, maker: str) -> None:
    """Refuse a value of another type than `kind`, saying what makes one.

    Raises
    ------
    ParameterError
        If it is of another type.
    """
    if not isinstance(value, kind):
        raise ParameterError(f"{verb} takes {kind.__name__}, not {type(value).__name__}; {maker} makes one.")
