"""From a table to the cells that count: values, conditions and replicates checked, what is missing counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from cellmetry.core.ordering import natural_key
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellmetry.stats.comparison.options import CompareOptions

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

__all__ = ["FIELD", "WELL", "Cells", "label_codes", "read_cells", "read_part"]

FIELD, WELL = "image", "well"
"""Columns of a table of cells that name the field of view and the well."""

_TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


@dataclass(frozen=True)
class Cells:
    """Cells (or rows of counts) that have a value, a condition and a replicate.

    Parameters
    ----------
    rows
        ``condition`` and ``replicate`` (codes, places in the names below), ``number`` (the value; of a fraction the
        share that is positive), ``x`` (the same on the scale of the test), ``cells`` (how many cells the row is), and
        ``level_NAME``, codes of each column in `levels` (-1 without a name). The index is the row's place in the table.
    conditions, replicates
        Names in the order of their codes.
    without
        Conditions that the table names and of which no cell counts.
    kind
        ``amount`` or ``fraction``.
    missing
        Cells (of counts, rows) of each condition without a finite value, shape (conditions,).
    levels
        Further columns by their name in the table (well, image, plate, levels within a replicate), each with its names
        in the order of their codes.
    notes
        What was left out, in sentences.
    """

    rows: pd.DataFrame
    conditions: tuple[str, ...]
    replicates: tuple[str, ...]
    without: tuple[str, ...]
    kind: Literal["amount", "fraction"]
    missing: Codes
    levels: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def read_cells(table: pd.DataFrame, options: CompareOptions) -> Cells:
    """Return the cells that are compared; each row of `rows` is one, or with a column of totals, a count of several.

    Raises
    ------
    UnknownName
        If a column, the control or a condition of the order is not there.
    ParameterError
        If values are no numbers or do not fit the scale, or fewer than two conditions are left.
    """
    cells = read_part(table, options)
    _refuse_conditions(cells, options)
    return cells


def read_part(table: pd.DataFrame, options: CompareOptions) -> Cells:
    """Return the cells that count of any part of a study: one condition will do, and the control may be absent.

    Raises
    ------
    UnknownName
        If a column is not there.
    ParameterError
        If values are no numbers or do not fit the scale, or the method does not heed an option.
    """
    _refuse_unused(options)
    needed = [name for name in (options.total, options.plate) if name is not None]
    need_columns(table, [options.value, options.by, options.replicate, *options.nested, *needed])
    kind, number, cells = _numbers(table, options)
    levels = _levels(table, options)
    labels = {name: label_codes(table[name]) for name in dict.fromkeys((options.by, options.replicate, *levels))}
    needs = (options.by, options.replicate, *options.nested, *((options.plate,) if options.plate else ()))
    named = np.all([labels[name][0] >= 0 for name in needs], axis=0)
    with_value = np.isfinite(number) & (cells > 0)
    used = named & with_value
    codes, conditions = _ordered(labels[options.by], used, _first(options))
    without = tuple(name for name in labels[options.by][1] if name not in conditions)
    missing = np.bincount(codes[named & ~with_value & (codes >= 0)], minlength=len(conditions))
    rows = pd.DataFrame({"condition": codes, "replicate": labels[options.replicate][0], "number": number})
    rows = rows.assign(cells=cells, **{f"level_{name}": labels[name][0] for name in levels})[used]
    rows["x"] = _scaled(rows["number"].to_numpy(), kind, options)
    names = {name: labels[name][1] for name in levels}
    notes = (*_left_out(named, without, options), *_like_truth(kind, number[used], options))
    return Cells(rows, conditions, labels[options.replicate][1], without, kind, missing, names, notes)


def _refuse_unused(options: CompareOptions) -> None:
    """Refuse options that the method would not heed."""
    if options.plate is not None and options.method != "mixed":
        raise ParameterError("A plate is a random effect of mixed models only; choose --method mixed, or leave it out.")
    if options.method in ("mixed", "gee") and options.nested:
        raise ParameterError(f"The method {options.method!r} weighs cells itself; leave the nested levels out.")
    if options.method in ("mixed", "gee") and options.summary == "median":
        raise ParameterError(f"The method {options.method!r} models means; medians are compared by t, welch or rank.")
    if options.method == "rank" and options.adjust in ("dunnett", "tukey"):
        raise ParameterError(f"{options.adjust.capitalize()}'s correction is not for ranks; choose --adjust holm.")


def _numbers(table: pd.DataFrame, options: CompareOptions) -> tuple[Literal["amount", "fraction"], Floats, Floats]:
    """Return whether a fraction is compared, the value of each row (NaN if missing), and its number of cells."""
    column = table[options.value]
    if options.total is not None:
        return "fraction", *_counts(_floats(column), _floats(table[options.total]), options)
    truth = _truth(column)
    numbers = _floats(column) if truth is None else truth
    kind: Literal["amount", "fraction"] = "amount" if truth is None else "fraction"
    if kind == "amount" and options.method == "gee":
        raise ParameterError(f"gee is for fractions, but {options.value!r} holds no true and false; choose mixed or t.")
    if kind == "fraction" and options.method == "mixed":
        raise ParameterError("The mixed model is for amounts; fractions are compared by t (the default), rank or gee.")
    if kind == "fraction" and options.summary == "median":
        raise ParameterError("A fraction has no median of cells; leave --summary out.")
    return kind, numbers, np.ones(len(table))


def _counts(positive: Floats, total: Floats, options: CompareOptions) -> tuple[Floats, Floats]:
    """Return fraction and number of cells of each row of counts."""
    if options.method == "mixed" or options.summary == "median":
        raise ParameterError(
            "Counts are compared as fractions by t (the default), rank or gee, not by mixed or median."
        )
    wrong = (positive < 0) | (total < 0) | (positive > total)
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        raise ParameterError(
            f"{options.value!r} counts {positive[where]:g} of {total[where]:g} cells ({options.total!r}) in row "
            f"{where + 1}; a number of positive cells lies between 0 and the number of all."
        )
    known = np.isfinite(positive) & np.isfinite(total) & (total > 0)
    return np.divide(positive, total, out=np.full(len(total), np.nan), where=known), np.nan_to_num(total)


def _truth(column: pd.Series) -> Floats | None:
    """Return 1, 0 or NaN for each entry of a column of true and false or yes and no; None for any other."""
    if pd.api.types.is_bool_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    if pd.api.types.is_numeric_dtype(column):
        return None
    codes, found = pd.factorize(column)
    words = [str(each).strip().lower() for each in found]
    if not words or not set(words) <= {*_TRUTH, ""}:
        return None
    return np.array([*(_TRUTH.get(word, np.nan) for word in words), np.nan])[codes]


def _floats(column: pd.Series) -> Floats:
    if not pd.api.types.is_numeric_dtype(column):
        raise ParameterError(f"The column {column.name!r} does not hold numbers; choose one that does.")
    return column.to_numpy(np.float64, na_value=np.nan)


def _levels(table: pd.DataFrame, options: CompareOptions) -> tuple[str, ...]:
    there = [name for name in (WELL, FIELD) if name in table.columns]
    return tuple(dict.fromkeys([*options.nested, *there, *([options.plate] if options.plate else [])]))


def label_codes(column: pd.Series) -> tuple[Codes, tuple[str, ...]]:
    """Return for each entry its place among the names, -1 if it is missing or blank, and the names in their order.

    Names are texts in natural order; 1.0 is 1, as a column of whole numbers with gaps holds it.
    """
    codes, found = pd.factorize(column)
    texts = [_text(each) for each in found]
    names = sorted({text for text in texts if text}, key=natural_key)
    place = {name: index for index, name in enumerate(names)}
    return np.array([*(place.get(text, -1) for text in texts), -1], np.int64)[codes], tuple(names)


def _text(label: Any) -> str:
    """Return a label as text; 1.0 is 1, as a column of whole numbers with gaps holds it."""
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label).strip()


def _refuse_conditions(cells: Cells, options: CompareOptions) -> None:
    """Refuse cells that are no whole comparison: a name that is not there, a control or a second condition lacking."""
    known = sorted((*cells.conditions, *cells.without), key=natural_key)
    for name in (*((options.control,) if options.control is not None else ()), *options.order):
        if name not in known:
            raise UnknownName("condition", name, known)
    if options.control in cells.without:
        raise ParameterError(
            f"The control {options.control!r} has none of the {options.rows} with a {options.value} and a replicate."
        )
    if len(cells.conditions) < 2:
        said = f"only {cells.conditions[0]!r} has" if cells.conditions else "none has"
        raise ParameterError(
            f"A comparison needs two conditions with values and replicates; of those in {options.by!r}, {said}."
        )


def _first(options: CompareOptions) -> tuple[str, ...]:
    """Return the conditions that stand first: those in the order asked for, else the control."""
    return options.order or (() if options.control is None else (options.control,))


def _ordered(
    labels: tuple[Codes, tuple[str, ...]], used: NDArray[np.bool_], first: tuple[str, ...]
) -> tuple[Codes, tuple[str, ...]]:
    """Return codes of conditions that have cells, those named first at the front (-1 for others), and their names."""
    codes, names = labels
    there = {names[code] for code in np.unique(codes[used])}
    order = [name for name in dict.fromkeys([*first, *names]) if name in there]
    place = {name: index for index, name in enumerate(order)}
    return np.array([*(place.get(name, -1) for name in names), -1], np.int64)[codes], tuple(order)


def _scaled(number: Floats, kind: str, options: CompareOptions) -> Floats:
    """Return the values on the scale of the test; fractions are scaled as replicates, not as cells."""
    if options.scale == "linear" or kind == "fraction":
        return number
    refused = int((number <= 0).sum())
    if refused:
        raise ParameterError(
            f"{refused} of {len(number)} values of {options.value!r} are 0 or below and have no logarithm; compare on "
            f"the linear scale, or filter them out by a stated condition."
        )
    return np.log(number)


def _like_truth(kind: str, number: Floats, options: CompareOptions) -> tuple[str, ...]:
    """Return a note that amounts look like true and false."""
    if kind == "fraction" or set(np.unique(number)) != {0.0, 1.0}:
        return ()
    return (
        f"{options.value!r} holds only 0 and 1 and is compared as an amount; if these are no and yes, write them as "
        f"false and true (or no and yes), and fractions are compared.",
    )


def _left_out(named: NDArray[np.bool_], without: tuple[str, ...], options: CompareOptions) -> tuple[str, ...]:
    notes = []
    if not named.all():
        what = " or no ".join((options.by, options.replicate, *options.nested, *filter(None, [options.plate])))
        notes.append(f"{int((~named).sum())} of {len(named)} rows are left out: they are of no {what}.")
    if without:
        notes.append(f"Of {', '.join(without)} no {options.rows} with a value and a replicate are left.")
    return tuple(notes)
