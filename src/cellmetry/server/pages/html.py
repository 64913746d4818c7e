"""The text of the pages; every word that a user wrote is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["api_page", "sign_in_page"]

_METHODS = ("get", "post", "put", "patch", "delete")


def sign_in_page(*, with_password: bool, wrong: str = "") -> str:
    """Return the page for who is not known: a form where there are accounts, else how to get in."""
    said = f'<p class="wrong" id="wrong">{escape(wrong)}</p>'
    if not with_password:
        return _page(
            "Cellmetry",
            f"{said}<p>Open the address that <code>cellmetry serve</code> shows: it lets your browser in.</p>",
        )
    form = (
        '<form id="sign-in"><label>Name <input name="name" autocomplete="username" required></label>'
        '<label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
        "<button>Sign in</button></form>"
    )
    return _page("Sign in to Cellmetry", f'{form}{said}<script src="pages/sign-in.js" defer></script>')


def api_page(document: Mapping[str, Any]) -> str:
    """Return the list of what an OpenAPI document offers, by its tags."""
    parts: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                row = (
                    f"<td>{method.upper()}</td><td><code>{escape(path)}</code></td><td>{escape(_about(operation))}</td>"
                )
                parts.setdefault(operation.get("tags", ["others"])[0], []).append(f"<tr>{row}</tr>")
    tables = "".join(f"<h2>{escape(tag)}</h2><table>{''.join(rows)}</table>" for tag, rows in parts.items())
    return _page(
        "API of Cellmetry",
        '<p>All bodies and answers, with their limits, are in <a href="openapi.json">openapi.json</a>. What changes '
        "something needs the header <code>X-Cellmetry: 1</code>; programs send "
        f"<code>Authorization: Bearer TOKEN</code>.</p>{tables}",
        up="../../",
        wide=True,
    )


def _about(operation: Mapping[str, Any]) -> str:
    """Return the first sentence of what is said of an operation, without the marks of code."""
    said = str(operation.get("description") or operation.get("summary") or "").partition("\n")[0]
    return said.replace("`", "")


def _page(title: str, body: str, up: str = "", *, wide: bool = False) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{up}pages/page.css"></head>'
        f"<body{' class=wide' if wide else ''}><h1>{escape(title)}</h1>{body}</body></html>"
    )
