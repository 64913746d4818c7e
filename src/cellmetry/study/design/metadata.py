"""`design_of`: what is known of each image of a study, from file names, headers, sheets and rules, and its check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError
from cellmetry.io.tables import write_table
from cellmetry.stats.units import Assignment, assign, matches, need_columns
from cellmetry.study.design.checks import check_design
from cellmetry.study.design.design import DESIGN_COLUMNS, StudyDesign
from cellmetry.study.file import WORDS, sources
from cellmetry.study.images import study_images
from cellmetry.study.sheets import TO_FILL, YES, as_text, join_sheet, well_words, with_wells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cellmetry.study.file import DesignSection, Exclusion, Rule, Study

__all__ = ["DESIGN_FILE", "SUMMARY_COLUMNS", "design_of", "design_table", "summarise_design", "write_design"]

DESIGN_FILE = "design_images.csv"
"""What is known of each image, as the study's folder has it."""

_PLACES = {"well", "row", "column"}
_NO = {"", "no", "n", "0", "false"}

SUMMARY_COLUMNS = (
    Column("condition", "", "Condition.", "Cellmetry"),
    Column("replicate", "", "Replicate.", "Cellmetry"),
    Column("n_wells", "1", "Wells with an image that is not left out; missing where wells are not known.", "Cellmetry"),
    Column("n_images", "1", "Images that are not left out.", "Cellmetry"),
    Column("n_excluded", "1", "Images that are left out.", "Cellmetry"),
)


def design_of(study: Study) -> StudyDesign:
    """Return the design of a study and what its check found; of the images, headers are read.

    Raises
    ------
    InputError
        If there are no images, a sheet cannot be read or joined, or a rule meets no image.
    """
    found = study_images(study)
    images, idle = _known(found.table, study.said.design, study.folder)
    return StudyDesign(images, check_design(images, study.said.design, found._replace(idle=idle)))


def design_table(table: pd.DataFrame, said: DesignSection, folder: Path) -> pd.DataFrame:
    """Return one row an image with columns of `DESIGN_COLUMNS` and those of sheets, described in ``attrs["columns"]``.

    Parameters
    ----------
    table
        ``image`` and what is known of each, as text.
    folder
        From which the files of sheets are seen.

    Raises
    ------
    InputError
        If a sheet cannot be read or joined, or a rule or a column that is named is not there.
    """
    return _known(table, said, folder)[0]


def _known(table: pd.DataFrame, said: DesignSection, folder: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table of a design, and a sentence for each sheet with rows of which there is no image."""
    table, pending = _assigned(_named(table, said), list(said.assign))
    idle = []
    for sheet in said.sheets:
        joined = join_sheet(table, folder / sheet.file, sheet.join, said.columns, _made(table, said))
        idle += [joined.idle] if joined.idle else []
        table = _named(joined.table, said)
        table, pending = _assigned(table, pending)
    if pending:
        need_columns(table, [rule.where for rule in pending], "design")
    need_columns(table, [part for name in said.columns.values() for part in sources(name)], "design")
    return _described(_typed(_excluded(table, said), said)), tuple(idle)


def _made(table: pd.DataFrame, said: DesignSection) -> dict[str, str]:
    """Return which of the words that a user fills in the study has made already, and by which entry."""
    by = {rule.column: "design.assign" for rule in said.assign}
    by |= {word: f"design.columns ({word} = {name!r})" for word, name in said.columns.items()}
    return {
        word: by[word] for word in TO_FILL if word in by and word in table.columns and said.columns.get(word) != word
    }


def _named(table: pd.DataFrame, said: DesignSection) -> pd.DataFrame:
    """Return the table with a column for each word of the design whose source it has, and wells in one form."""
    placed = with_wells(_renamed(table, {word: said.columns[word] for word in _PLACES & said.columns.keys()}))
    return _renamed(placed, {word: name for word, name in said.columns.items() if word not in _PLACES})


def _renamed(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    ready = {word: parts for word, name in columns.items() if set(parts := sources(name)) <= set(table.columns)}
    return table.assign(**{word: _joined(table, parts) for word, parts in ready.items()})


def _joined(table: pd.DataFrame, parts: Sequence[str]) -> pd.Series:
    """Return a column, or the entries of several as one text: ``wortmannin 3``; none where one of them is missing."""
    if len(parts) == 1:
        return table[parts[0]]
    texts = pd.DataFrame({part: as_text(table[part]) for part in parts})
    known = texts.notna().all(axis=1)
    return texts.fillna("").agg(" ".join, axis=1).astype(object).where(known, None)


def _assigned(table: pd.DataFrame, rules: list[Rule]) -> tuple[pd.DataFrame, list[Rule]]:
    """Return the table with the columns whose rules need only what it has, and the rules that wait."""
    waiting = {rule.column for rule in rules if rule.where not in table.columns}
    ready = [rule for rule in rules if rule.column not in waiting]
    made = [Assignment(rule.column, rule.label, rule.where, _values(rule)) for rule in ready]
    return assign(table, made), [rule for rule in rules if rule.column in waiting]


def _values(rule: Rule | Exclusion) -> tuple[str, ...]:
    return tuple(map(str, well_words(pd.Series(rule.values, dtype=object), rule.where)))


def _excluded(table: pd.DataFrame, said: DesignSection) -> pd.DataFrame:
    """Return the table with ``excluded`` and ``reason`` by its own columns and by the rules."""
    nothing = pd.Series("", table.index, dtype=object)
    out = _truth(table["excluded"]) if "excluded" in table.columns else pd.Series(data=False, index=table.index)
    reason = as_text(table["reason"]).fillna("") if "reason" in table.columns else nothing
    for each in said.exclude:
        need_columns(table, [each.where], "design")
        met = pd.concat([matches(table[each.where], value) for value in _values(each)], axis=1).any(axis=1)
        if not met.any():
            raise ParameterError(f"No image has {each.where} = {', '.join(each.values)}, so none can be left out.")
        reason = reason.mask(met & (reason == ""), each.reason)
        out = out | met
    return table.assign(excluded=out, reason=reason)


def _truth(column: pd.Series) -> pd.Series:
    words = as_text(column).fillna("").str.casefold()
    wrong = words[~words.isin(YES | _NO)]
    if len(wrong):
        raise ParameterError(f"The column excluded says {wrong.iloc[0]!r}; write yes, or leave the cell empty.")
    return words.isin(YES)


def _typed(table: pd.DataFrame, said: DesignSection) -> pd.DataFrame:
    """Return the columns in the order of the design and in its types; conditions by their shown names."""
    out = table.copy(deep=False)
    for word in (word for word in WORDS if word in out.columns):
        out[word] = as_text(out[word])
        if out[word].isna().all():
            out = out.drop(columns=word)
    if "condition" in out.columns:
        plain = {_plain(written): shown for written, shown in said.names.items()} | said.names
        out["condition"] = [plain.get(name, plain.get(_plain(name), name)) for name in out["condition"]]
    if "column" in out.columns and _all_numbers(out["column"]) and not (_numbers(out["column"]) % 1).any():
        out["column"] = _numbers(out["column"]).astype("Int64")
    if "dose" in out.columns and _all_numbers(out["dose"]):
        out["dose"] = _numbers(out["dose"])
    first = [column.name for column in DESIGN_COLUMNS if column.name in out.columns]
    return out[[*first, *(name for name in out.columns if name not in first)]]


def _plain(name: str | None) -> str:
    """Return a name without leading zeros if it is a number, as plates' columns are kept."""
    return str(int(name)) if name is not None and name.isdecimal() else str(name)


def _all_numbers(column: pd.Series) -> bool:
    return not bool((column.notna() & _numbers(column).isna()).any())


def _numbers(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column.astype("string"), errors="coerce").astype("float64")


def _described(table: pd.DataFrame) -> pd.DataFrame:
    own = {column.name: column for column in DESIGN_COLUMNS}
    described = [
        own.get(name, Column(name, "", "As in the names of files or in a sheet.", "study")) for name in table.columns
    ]
    table.attrs = {"columns": tuple(described)}
    return table


def write_design(study: Study, design: StudyDesign) -> Path:
    """Return the file in the study's folder to which the design was written, with the meaning of columns beside it."""
    path = study.folder / DESIGN_FILE
    write_table(design.images, path, design.images.attrs["columns"])
    return path


def summarise_design(images: pd.DataFrame) -> pd.DataFrame:
    """Return the number of wells and images of each replicate of each condition, as `SUMMARY_COLUMNS` describes it.

    Images without a condition are counted under an empty one, those without a replicate likewise.
    """
    keys = ["condition", "replicate"]
    told = images.assign(**{key: images[key].fillna("") if key in images.columns else "" for key in keys})
    place = [name for name in ("plate", "well") if name in told.columns]
    used = told[~told["excluded"]]
    wells = used.dropna(subset=["well"]).drop_duplicates([*keys, *place]) if "well" in place else used.iloc[:0]
    out = _sizes(told, keys, "n_images").to_frame()
    out["n_excluded"] = _sizes(told[told["excluded"]], keys, "n_excluded").reindex(out.index, fill_value=0)
    out["n_images"] -= out["n_excluded"]
    counted = _sizes(wells, keys, "n_wells").reindex(out.index, fill_value=0).astype("Int64")
    out["n_wells"] = counted if "well" in place else pd.array([pd.NA] * len(out), "Int64")
    out = out.reset_index()[[column.name for column in SUMMARY_COLUMNS]]
    out.attrs = {"columns": SUMMARY_COLUMNS}
    return out


def _sizes(table: pd.DataFrame, keys: Sequence[str], name: str) -> pd.Series:
    return table.groupby(list(keys), sort=False).size().rename(name)
