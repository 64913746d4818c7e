"""Values relative to a control as columns of their own, so that no table or figure calls them by the raw name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError
from cellmetry.stats.comparison.normalising import normalise_to_control

if TYPE_CHECKING:
    from cellmetry.pipeline.comparison.prepare import Tables
    from cellmetry.pipeline.comparison.settings import CompareSettings
    from cellmetry.study.questions import TableComparison

__all__ = ["relative_columns", "relative_name", "with_relative_names", "with_relative_values"]

_ENDS = {"ratio": "_relative", "difference": "_less_control", "robust_z": "_z"}
_SAID = {
    "ratio": "{label} / {control} of the same {within}",
    "difference": "{label} − {control} of the same {within}",
    "robust_z": "{label} (robust z to {control} of the same {within})",
}


def relative_name(asked: TableComparison) -> str:
    """Return the name of the column in which a value stands relative to its control; its own without one."""
    return asked.value if asked.normalise is None else f"{asked.value}{_ENDS[asked.normalise.how]}"


def with_relative_values(ready: Tables, settings: CompareSettings) -> Tables:
    """Return the tables with a further column for each value that is normalised to a control; raw ones stay.

    Raises
    ------
    ParameterError
        If a table has a column of that name already, or as `normalise_to_control`.
    """
    tables = dict(ready.tables)
    for asked in settings.comparisons:
        name = relative_name(asked)
        if asked.normalise is None:
            continue
        if name in tables[asked.table].columns:
            raise ParameterError(f"The table {asked.table} has a column {name!r} already; rename it.")
        values = normalise_to_control(tables[asked.table], asked)[asked.value]
        tables[asked.table] = tables[asked.table].assign(**{name: values})
    return replace(ready, tables=tables)


def with_relative_names(settings: CompareSettings) -> CompareSettings:
    """Return the settings in which comparisons name the columns of relative values, and figures say what they are."""
    labels = dict(settings.style.labels)
    for asked in settings.comparisons:
        if asked.normalise is not None:
            said = {"control": asked.normalise.control, "within": asked.normalise.within}
            label = _SAID[asked.normalise.how].format(label=labels.get(asked.value, asked.value), **said)
            labels.setdefault(relative_name(asked), label)
    for gate in settings.gates:
        if gate.value in labels:
            labels.setdefault(gate.column, f"{labels[gate.value]}, positive")
    comparisons = tuple(each.model_copy(update={"value": relative_name(each)}) for each in settings.comparisons)
    style = settings.style.model_copy(update={"labels": labels})
    return settings.model_copy(update={"comparisons": comparisons, "style": style})


def relative_columns(settings: CompareSettings) -> tuple[Column, ...]:
    """Return what the columns of relative values mean."""
    found = []
    for asked in settings.comparisons:
        norm = asked.normalise
        if norm is not None:
            words = _SAID[norm.how].format(label=asked.value, control=norm.control, within=norm.within)
            unit = "1" if norm.how != "difference" else f"as {asked.value}"
            found.append(Column(relative_name(asked), unit, f"{words}.", "Cellmetry"))
    return tuple(found)
