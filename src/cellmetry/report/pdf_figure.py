"""Figures of matplotlib drawn by reportlab: lines stay lines in a PDF that reportlab writes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from PIL import Image as Picture
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import FILL_NON_ZERO

if TYPE_CHECKING:
    from matplotlib.backend_bases import GraphicsContextBase
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform
    from matplotlib.typing import ColorType
    from numpy.typing import ArrayLike

__all__ = ["draw_figure"]

_POINTS = 72
_mixed: Any = MixedModeRenderer  # has no types
_CAPS = {"butt": 0, "round": 1, "projecting": 2}
_JOINS = {"miter": 0, "round": 1, "bevel": 2}


def draw_figure(figure: Figure, canvas: Any, *, dpi: int) -> None:
    """Draw a figure into a canvas of reportlab, its lower left corner at the origin, in its own size in points.

    Parameters
    ----------
    dpi
        Of pictures, and of what the figure says shall be drawn as pixels; all else is vectors. Letters are outlines.
    """
    width, height = (float(side) for side in figure.get_size_inches())
    before = figure.dpi
    figure.dpi = _POINTS
    try:
        vectors = _Renderer(canvas, (width * _POINTS, height * _POINTS), dpi)
        figure.draw(_mixed(figure, width, height, dpi, vectors))
    finally:
        figure.dpi = before


class _Renderer(RendererBase):
    """What matplotlib asks of a backend; letters, markers and collections arrive as paths."""

    def __init__(self, canvas: Any, size: tuple[float, float], dpi: int) -> None:
        super().__init__()
        self.canvas, self.size, self.dpi = canvas, size, dpi

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.size

    def flipy(self) -> bool:
        return False

    def points_to_pixels(self, points: Any) -> Any:
        return points

    def get_image_magnification(self) -> float:
        return self.dpi / _POINTS

    def draw_path(
        self, gc: GraphicsContextBase, path: Path, transform: Transform, rgbFace: ColorType | None = None
    ) -> None:
        line = gc.get_linewidth() > 0
        if not line and rgbFace is None:
            return
        self.canvas.saveState()
        self._clip(gc)
        if rgbFace is not None:
            self._set_fill(gc, rgbFace)
        if line:
            self._set_stroke(gc)
        window = (0.0, 0.0, *self.size) if rgbFace is None else None
        outline = self._outline(path, transform, window)
        self.canvas.drawPath(outline, stroke=int(line), fill=int(rgbFace is not None), fillMode=FILL_NON_ZERO)
        self.canvas.restoreState()

    def draw_image(self, gc: GraphicsContextBase, x: float, y: float, im: ArrayLike, transform: Any = None) -> None:
        pixels = np.asarray(im, np.uint8)
        png = io.BytesIO()
        Picture.fromarray(np.ascontiguousarray(pixels[::-1])).save(png, format="PNG")
        height, width = (side * _POINTS / self.dpi for side in pixels.shape[:2])
        self.canvas.saveState()
        self._clip(gc)
        alpha = gc.get_alpha()
        self.canvas.setFillAlpha(1.0 if alpha is None else alpha)
        self.canvas.drawImage(ImageReader(png), x, y, width, height, mask="auto")
        self.canvas.restoreState()

    def _clip(self, gc: GraphicsContextBase) -> None:
        box = gc.get_clip_rectangle()
        if box is not None:
            outline = self.canvas.beginPath()
            outline.rect(box.x0, box.y0, box.width, box.height)
            self.canvas.clipPath(outline, stroke=0, fill=0)
        path, transform = gc.get_clip_path()
        if path is not None and transform is not None:
            self.canvas.clipPath(self._outline(path, transform, None), stroke=0, fill=0)

    def _set_fill(self, gc: GraphicsContextBase, face: Any) -> None:
        alpha = gc.get_alpha() if gc.get_forced_alpha() or len(face) == 3 else face[3]
        self.canvas.setFillColorRGB(*(float(part) for part in face[:3]))
        self.canvas.setFillAlpha(1.0 if alpha is None else float(alpha))

    def _set_stroke(self, gc: GraphicsContextBase) -> None:
        red, green, blue, alpha = (float(part) for part in gc.get_rgb())
        self.canvas.setStrokeColorRGB(red, green, blue)
        self.canvas.setStrokeAlpha(float(gc.get_alpha()) if gc.get_forced_alpha() else alpha)
        self.canvas.setLineWidth(gc.get_linewidth())
        self.canvas.setLineCap(_CAPS[gc.get_capstyle()])
        self.canvas.setLineJoin(_JOINS[gc.get_joinstyle()])
        offset, dashes = gc.get_dashes()
        if dashes is not None:
            self.canvas.setDash(np.asarray(dashes, np.float64).tolist(), float(offset or 0))

    def _outline(self, path: Any, transform: Transform, window: tuple[float, float, float, float] | None) -> Any:
        """Return a path of reportlab; reportlab has no quadratic curves, so they become cubic ones."""
        outline = self.canvas.beginPath()
        last = np.zeros(2)
        for corners, code in path.iter_segments(Affine2D() + transform, clip=window, curves=True, simplify=None):
            points = np.asarray(corners, np.float64)
            if code == Path.MOVETO:
                outline.moveTo(*points)
            elif code == Path.LINETO:
                outline.lineTo(*points)
            elif code == Path.CURVE3:
                control, end = points[:2], points[2:]
                outline.curveTo(*(last + 2 / 3 * (control - last)), *(end + 2 / 3 * (control - end)), *end)
            elif code == Path.CURVE4:
                outline.curveTo(*points)
            elif code == Path.CLOSEPOLY:
                outline.close()
                continue
            last = points[-2:]
        return outline
