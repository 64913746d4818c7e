"""The frame of every page: one HTML file with its style in it, light and dark, that fetches nothing."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib.resources import files

__all__ = ["make_page"]

_STYLE = "index.css"


def make_page(
    title: str,
    body: str,
    footer: str,
    *,
    styles: tuple[str, ...] = (),
    script: str | None = None,
    libraries: tuple[str, ...] = (),
) -> str:
    """Return an HTML page.

    Parameters
    ----------
    title, footer
        Text, escaped here.
    body
        HTML, escaped by the caller.
    styles, script
        Files of this package that are added: further style sheets, and one script. The page forbids all other
        scripts by its hash, and all scripts where there is none.
    libraries
        Code (not files) of scripts that run before it, each allowed by its hash as well.
    """
    style = "".join(_text(name) for name in (_STYLE, *styles))
    codes = [*libraries, *([] if script is None else [_text(script)])]
    hashes = " ".join(f"'{_hash(code)}'" for code in codes)
    allowed = f" script-src {hashes};" if codes else ""
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline';{allowed} img-src 'self' file: data:; base-uri 'none'; "
        f"form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}"
        f"<footer>{escape(footer)}</footer>\n</main>\n" + "".join(f"<script>{code}</script>\n" for code in codes)
    ) + "</body>\n</html>\n"


def _text(name: str) -> str:
    return files("cellmetry.report").joinpath(name).read_text("utf-8").replace("\r\n", "\n")


def _hash(code: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}"
