"""Conditions on the columns of a table: ``area_um2 > 50 and not flag_saturation``. Nothing is ever evaluated as code.

::

    condition  = both {"or" both}          both = one {"and" one}
    one        = "not" one | "(" condition ")" | column | value compare value {compare value}
    compare    = "<" | "<=" | ">" | ">=" | "==" | "!="
    value      = number | "text" | column

A column by itself is one of yes and no (`flag_…`). A missing value makes a comparison missing; ``and``, ``or`` and
``not`` treat missing as unknown (three-valued logic).
"""

from __future__ import annotations

import operator
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from cellmetry.errors import ParameterError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = pd.Series[bool]

__all__ = ["check_condition", "columns_in", "evaluate_condition"]

_LONGEST = 1000
_DEEPEST = 50
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))|(?P<text>"[^"]*"|'[^']*')|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<sign><=|>=|==|!=|<|>|\(|\)))"""
)
_COMPARE: dict[str, Callable[[pd.Series, pd.Series], Answer]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_WORDS = {"and", "or", "not"}
_FORM = "such as area_um2 > 50, not flag_saturation, 0.8 <= solidity < 1, or several of them joined by and, or, ( and )"


class _Token(NamedTuple):
    kind: str
    text: str


def check_condition(text: str) -> None:
    """Refuse a text that is no condition, whatever the columns.

    Raises
    ------
    ParameterError
        If it has another form; says where.
    """
    _Parser(text, None).whole()


def columns_in(text: str) -> set[str]:
    """Return the names of the columns of which a condition speaks."""
    return {token.text for token in _tokens(text) if token.kind == "name"} - _WORDS


def evaluate_condition(text: str, table: pd.DataFrame) -> Answer:
    """Return for each row whether the condition holds; missing where that cannot be told.

    Raises
    ------
    ParameterError
        If it is no condition, or a column is compared with a value of another kind.
    UnknownName
        If the table has no such column; says the nearest.
    """
    return _Parser(text, table).whole()


class _Parser:
    """Reads a condition from left to right; without a table, only its form is checked."""

    def __init__(self, text: str, table: pd.DataFrame | None) -> None:
        self.text = text
        self.table = table
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def whole(self) -> Answer:
        answer = self.either()
        if self.at < len(self.tokens):
            raise _wrong(self.text, f"{self.tokens[self.at].text!r} stands where it cannot")
        return answer

    def either(self) -> Answer:
        answer = self.both()
        while self.take("or"):
            answer = answer | self.both()
        return answer

    def both(self) -> Answer:
        answer = self.one()
        while self.take("and"):
            answer = answer & self.one()
        return answer

    def one(self) -> Answer:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _wrong(self.text, "it is nested too deeply")
        if self.take("not"):
            answer = ~self.one()
        elif self.take("("):
            answer = self.either()
            if not self.take(")"):
                raise _wrong(self.text, "a bracket is not closed")
        else:
            answer = self.comparison()
        self.depth -= 1
        return answer

    def comparison(self) -> Answer:
        first = self.value()
        if self.peek().text not in _COMPARE:
            return self.yes_or_no(first)
        answers = []
        while self.peek().text in _COMPARE:
            sign = self.next().text
            second = self.value()
            answers.append(self.compare(first, sign, second))
            first = second
        answer = answers[0]
        for other in answers[1:]:
            answer = answer & other
        return answer

    def value(self) -> _Token:
        token = self.next()
        if token.kind not in ("number", "text", "name") or token.text in _WORDS:
            raise _wrong(self.text, f"a column or value is missing before {token.text!r}" if token.text else "it ends")
        return token

    def peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _Token("end", "")

    def next(self) -> _Token:
        token = self.peek()
        self.at += 1
        return token

    def take(self, text: str) -> bool:
        found = self.peek().text == text and self.peek().kind != "text"
        self.at += found
        return found

    def yes_or_no(self, token: _Token) -> Answer:
        if token.kind != "name":
            raise _wrong(self.text, f"{token.text} is compared with nothing")
        if self.table is None:
            return pd.Series(dtype="boolean")
        column = self.column(token)
        if not pd.api.types.is_bool_dtype(column.dtype):
            raise _wrong(self.text, f"{token.text} is not a column of yes and no; compare it with a value")
        return column.astype("boolean")

    def column(self, token: _Token) -> pd.Series:
        assert self.table is not None  # noqa: S101
        if token.text not in self.table:
            raise UnknownName("column", token.text, map(str, self.table.columns))
        return self.table[token.text].reset_index(drop=True)

    def compare(self, first: _Token, sign: str, second: _Token) -> Answer:
        if "name" not in (first.kind, second.kind):
            raise _wrong(self.text, "no column is compared")
        if self.table is None:
            return pd.Series(dtype="boolean")
        left, right = self.series(first), self.series(second)
        words = [pd.api.types.is_string_dtype(each.dtype) for each in (left, right)]
        if words[0] != words[1] or (all(words) and sign not in ("==", "!=")):
            raise _wrong(self.text, f"{first.text} {sign} {second.text} compares values that have no such relation")
        return _COMPARE[sign](left, right).astype("boolean")

    def series(self, token: _Token) -> pd.Series:
        """Return a column, or a value as often as the table has rows, as nullable numbers or text."""
        assert self.table is not None  # noqa: S101
        if token.kind == "number":
            return pd.Series(float(token.text), index=range(len(self.table)), dtype="Float64")
        if token.kind == "text":
            return pd.Series(token.text[1:-1], index=range(len(self.table)), dtype="string")
        column = self.column(token)
        if pd.api.types.is_bool_dtype(column.dtype):
            raise _wrong(self.text, f"{token.text} is yes or no; write {token.text} or not {token.text}")
        if pd.api.types.is_numeric_dtype(column.dtype):
            return column.astype("Float64")
        return column.astype("string")


def _tokens(text: str) -> list[_Token]:
    """Return the words and signs of a condition."""
    if len(text) > _LONGEST:
        raise ParameterError(f"A condition has at most {_LONGEST} characters; write several.")
    out, at = [], 0
    plain = unicodedata.normalize("NFKC", text.rstrip())
    while at < len(plain):
        found = _TOKEN.match(plain, at)
        if found is None or found.lastgroup is None:
            raise _wrong(text, f"{plain[at:].strip()[:20]!r} cannot be read")
        out.append(_Token(found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return out


def _wrong(text: str, why: str) -> ParameterError:
    return ParameterError(f"The condition {text!r} cannot be used: {why}. A condition is {_FORM}.")
