"""`study_text`: a ``study.toml`` with every entry stated and explained."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, get_origin

import tomli_w

from cellmetry.core.step import Parameters
from cellmetry.study.file import parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.study.file import StudyFile

__all__ = ["study_text"]

_WIDTH = 100
_HEAD = (
    "A study of Cellmetry. Change what is wrong; lines that begin with # are explanations, or entries that are not "
    "set. `cellmetry study design` checks the file and what it makes of the images."
)


def study_text(
    said: StudyFile,
    *,
    hints: Mapping[str, Sequence[str]] | None = None,
    kinds: Mapping[str, type[Parameters]] | None = None,
) -> str:
    """Return the study as TOML: every entry with its meaning, those that are not set as comments.

    Parameters
    ----------
    hints
        Lines of comment at the head of a section, by its name (``images``).
    kinds
        What sections that the study keeps as they are (``style``) consist of; their entries are explained then.
    """
    lines = [*_comment(_HEAD), "", *_section(said, "", hints or {}, kinds or {})]
    return "\n".join(lines) + "\n"


def _section(
    values: Parameters, path: str, hints: Mapping[str, Sequence[str]], kinds: Mapping[str, type[Parameters]]
) -> list[str]:
    """Return the lines of a section: its plain entries, then the sections within it."""
    plain, inner = [line for hint in hints.get(path, ()) for line in _comment(hint)], []
    parts = parts_of(type(values))
    for name, field in type(values).model_fields.items():
        value, words = getattr(values, name), field.description or ""
        address = f"{path}.{name}" if path else name
        if name in parts:
            inner += ["", *_comment(words), *_inner(value, address, parts[name].kind, hints, kinds)]
        elif isinstance(value, dict):
            inner += ["", *_comment(words), *_free(value, address, kinds.get(address), hints.get(address, ()))]
        else:
            plain += [*_comment(words), _entry(name, value)]
    return [*plain, *inner]


def _inner(
    value: Any,
    address: str,
    kind: type[Parameters],
    hints: Mapping[str, Sequence[str]],
    kinds: Mapping[str, type[Parameters]],
) -> list[str]:
    """Return a section, the sections of a list, or an example in comments where there is none."""
    if value is None:
        return _example(f"[{address}]", kind)
    if not isinstance(value, tuple):
        return [f"[{address}]", *_section(value, address, hints, kinds)]
    hinted = [line for hint in hints.get(address, ()) for line in _comment(hint)]
    tables = [line for each in value for line in ("", f"[[{address}]]", *_bare(each, address))]
    return [*hinted, *(tables[1:] or _example(f"[[{address}]]", kind))]


def _bare(values: Parameters, path: str) -> list[str]:
    """Return the lines of one of a list of sections, without comments and what is not set."""
    plain, inner = [], []
    for name, value in values:
        if isinstance(value, Parameters) or (isinstance(value, dict) and value):
            entries = value if isinstance(value, dict) else dict(value)
            inner += [f"[{path}.{name}]", *(_entry(*each) for each in entries.items())]
        elif value is not None and value != {}:
            plain.append(_entry(name, value))
    return [*plain, *inner]


def _example(header: str, kind: type[Parameters]) -> list[str]:
    """Return a section that is not there, in comments."""
    lines = [f"# {header}"]
    for name, field in kind.model_fields.items():
        if name in parts_of(kind):
            continue
        sample = ("…",) if get_origin(field.annotation) is tuple else "…"
        value = sample if field.is_required() else field.get_default(call_default_factory=True)
        lines += [f"#   {line.removeprefix('# ')}" for line in _comment(field.description or "")]
        lines.append(f"# {_entry(name, value).removeprefix('# ')}")
    return lines


def _free(values: Mapping[str, Any], address: str, kind: type[Parameters] | None, hints: Sequence[str]) -> list[str]:
    """Return a section whose names the user chooses."""
    described = {} if kind is None else {name: field.description for name, field in kind.model_fields.items()}
    lines = [f"[{address}]", *(line for hint in hints for line in _comment(hint))]
    inner = []
    for name, value in values.items():
        words = _comment(described.get(name) or "")
        if isinstance(value, dict):
            inner += ["", *words, *_free(value, f"{address}.{_key(name)}", None, ())]
        else:
            lines += [*words, _entry(name, value)]
    return [*lines, *inner]


def _entry(name: str, value: Any) -> str:
    """Return ``name = value`` in one line, as a comment if there is no value, since TOML has no word for none."""
    return f"# {name} =" if value is None else f"{_key(name)} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(name)} = {_value(each)}' for name, each in value.items())}}}"
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"  # a regular expression, as it is
    return tomli_w.dumps({"v": value}).removeprefix("v = ").strip()


def _key(name: str) -> str:
    return tomli_w.dumps({name: 0}).partition(" = ")[0]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join(text.replace("``", "").split()), _WIDTH)]
