r"""How plate readers and screening microscopes name their files, as patterns without suffix.

Sources: the makers' exports as Bio-Formats (docs.openmicroscopy.org/bio-formats) and the Broad Bioimage Benchmark
Collection (bbbc.broadinstitute.org) have them.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LAYOUTS", "Layout"]

_GUID = r"{_:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}}"
_WELL = r"{well:[A-P]\d{2}}"
_VOYAGER = rf"{_WELL}_T{{t:\d{{4}}}}F{{field:\d{{3,}}}}L{{_:\d+}}A{{_:\d+}}Z{{z:\d+}}C{{channel:\d+}}"
_HARMONY = r"{well:r\d{2}c\d{2}}f{field:\d{2,}}p{z:\d{2,}}-ch{channel:\d+}sk{t:\d+}fk{_:\d+}"
_INCELL = r"{well:[A-P] - \d{1,2}}(fld {field:\d+}"


class Layout(NamedTuple):
    """Who names files so, and the pattern without its suffix."""

    maker: str
    pattern: str


LAYOUTS = (
    Layout("SpectraMax", r"{well:[A-P]\d{1,2}}_{field:x\d+_y\d+}_w{channel:\d+}"),
    *(
        Layout("ImageXpress", f"{prefix}{_WELL}{site}_w{{channel:{digits}}}{guid}")
        for prefix in ("", "{plate:.+}_")
        for site in (r"_s{field:\d+}", "")
        for digits, guid in ((r"\d", _GUID), (r"\d+", ""))
    ),
    Layout("Opera or Operetta (Harmony)", _HARMONY + r"fl{_:\d+}"),
    Layout("Opera or Operetta (Harmony)", _HARMONY),
    Layout("Yokogawa CellVoyager", _VOYAGER),
    Layout("Yokogawa CellVoyager", "{plate:.+}_" + _VOYAGER),
    Layout("IN Cell Analyzer", _INCELL + r" wv {channel:[^()]+?} z {z:\d+})"),
    Layout("IN Cell Analyzer", _INCELL + r" wv {channel:[^()]+?})"),
    Layout("IN Cell Analyzer", _INCELL + ")"),
    Layout("Cytation (Gen5)", r"{well:[A-P]\d{1,2}}_{_:-?\d+}_{_:\d+}_{field:\d+}Z{z:\d+}_{channel:[^_]+}_{t:\d{3}}"),
    Layout("Cytation (Gen5)", r"{well:[A-P]\d{1,2}}_{_:-?\d+}_{_:\d+}_{field:\d+}_{channel:[^_]+}_{t:\d{3}}"),
    Layout("Broad collection (BBBC013)", r"Channel{channel:\d+}-{_:\d+}-{row:[A-P]}-{column:\d{2}}"),
)
"""Known names; of several that fit, the first counts."""
