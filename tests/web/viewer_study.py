"""A small study for tests of the viewer, and a page that has nothing but a viewer."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import imageio.v3 as imageio
import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter

from cellmetry.core.labels import labels_from_array
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE, CELL = 1200, 40
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Viewer</title>
<link rel="icon" href="web/style/icon.svg"><link rel="stylesheet" href="web/style/app.css"></head>
<body></body></html>"""
POLICY = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'"
OPEN = """async ({ study }) => {
  const { Viewer } = await import(new URL("web/viewer/viewer.js", document.baseURI));
  window.open_ = () => {
    window.viewer = new Viewer(document.body, `studies/${study}/`);
    viewer.on("error", (error) => console.error(String(error)));
  };
  window.open_();
  window.told = (name) => new Promise((done) => { const end = viewer.on(name, (said) => { end(); done(said); }); });
  window.drawn = async (act = () => viewer.goTo({ x: viewer.camera.x + 1e-6 })) => {
    const all = window.told("drawn");
    await act();
    await all;
  };
  window.image = async (id) => (await fetch(`api/v1/studies/${study}/images/${id}`)).json();
  window.look = async (id, labels = null, more = {}) => {
    const image = await window.image(id);
    await window.drawn(() => viewer.show({ image, labels, ...more }));
  };
  window.pixel = (y, x) => {
    const canvas = document.querySelector(".viewer-canvas");
    const at = viewer.toScreen(y, x);
    return [...canvas.getContext("2d").getImageData(Math.floor(at.x), Math.floor(at.y), 1, 1).data].slice(0, 3);
  };
}"""


def objects(side: int = SIDE, cell: int = CELL) -> NDArray[np.uint32]:
    """Return ellipses in rows, touching their neighbours on the right in pairs, ids from 1."""
    ids = np.zeros((side, side), np.uint32)
    count = side // cell
    for number in range(count * count):
        y, x = (number // count + 0.5) * cell, (number % count + 0.5) * cell
        x += 6 if number % 2 == 0 else -2
        low, high = int(y - cell / 2), int(x - cell / 2)
        rows, columns = np.mgrid[max(low, 0) : low + cell, max(high, 0) : min(high + cell, side)]
        inside = ((rows + 0.5 - y) / (cell * 0.38)) ** 2 + ((columns + 0.5 - x) / (cell * 0.44)) ** 2 < 1
        ids[rows[inside], columns[inside]] = number + 1
    return ids


def picture(ids: NDArray[np.uint32], channels: int = 2) -> NDArray[np.uint16]:
    """Return channels with noise in which the objects are bright, each as its id says: C, Y, X."""
    random = np.random.default_rng(0)
    bright = random.uniform(0.3, 1.0, (channels, int(ids.max()) + 1))
    bright[:, 0] = 0
    soft = np.stack([gaussian_filter(bright[channel][ids], 2 + 4 * channel) for channel in range(channels)])
    return random.poisson(120 + 1800 * soft).astype(np.uint16)


def tiff(pixels: NDArray[Any], axes: str, pixel_um: float | None) -> bytes:
    """Return the bytes of an ImageJ TIFF."""
    out = io.BytesIO()
    scale = {} if pixel_um is None else {"resolution": (1 / pixel_um, 1 / pixel_um)}
    unit = {} if pixel_um is None else {"unit": "um"}
    tifffile.imwrite(out, pixels, imagej=True, metadata={"axes": axes, **unit}, **scale)
    return out.getvalue()


def colours() -> NDArray[np.uint8]:
    """Return a colour picture: red to the right, green downward, blue everywhere the same."""
    y, x = np.mgrid[:90, :70]
    return np.stack([3 * x, 2 * y, np.full_like(x, 77)], axis=-1).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the bytes of a PNG."""
    out = io.BytesIO()
    imageio.imwrite(out, pixels, extension=".png")
    return out.getvalue()


def make_study(server: Any, client: Any) -> dict[str, str]:
    """Make a study: an image of two channels with labels, and a stack of three planes with labels in the second."""
    study = str(client.post("studies", json={"name": "Viewer"}).json()["id"])
    ids = objects()
    stack = np.stack([picture(np.roll(ids, 10 * z, 0), 1)[0, :300, :260] * (z + 1) for z in range(3)])
    tiny = np.linspace(-1, 1, 37 * 53, dtype=np.float32).reshape(37, 53)
    files = {"flat.tif": tiff(picture(ids), "CYX", 0.5), "stack.tif": tiff(stack, "ZYX", None)}
    files |= {"tiny.tif": tiff(tiny, "YX", None), "colour.png": png(colours())}
    sent = [("files", (name, content)) for name, content in files.items()]
    answer = client.post(f"studies/{study}/images", files=sent)
    assert answer.status_code == 201, answer.text
    colour, flat, deep, small = (each["id"] for each in sorted(answer.json(), key=lambda each: each["name"]))
    for _ in range(600):
        if all(each["state"] == "ready" for each in client.get(f"studies/{study}/images").json()):
            break
        time.sleep(0.05)
    planes = np.zeros((3, 300, 260), np.uint32)
    planes[1] = ids[:300, :260]
    named = {flat: ids, deep: planes}
    labels = _add(server, named)
    images = {"image": flat, "stack": deep, "tiny": small, "colour": colour}
    return {"study": study, **images, "labels": labels[flat], "stack_labels": labels[deep]}


def _add(server: Any, named: dict[str, NDArray[np.uint32]]) -> dict[str, str]:
    [folder] = server.home.glob("Viewer*.cellmetry")
    store = join_store(folder)
    found = {}
    for image, ids in named.items():
        axes = "ZYX" if ids.ndim == 3 else "YX"
        with store.database.write():
            seq = act(store, Actor("t", "python"), "test", "Add labels")
            found[image] = add_labels(store, seq, image, labels_from_array(ids, axes), name="cells")
    store.database.close()
    return found


def open_page(page: Any, server: Any, study: str | None = None) -> None:
    """Show a page of the server with an empty viewer, `window.viewer`."""
    page.goto(server.client().post("session/link").json()["url"])
    headers = {"content-type": "text/html", "content-security-policy": POLICY}
    page.route("**/viewer-page", lambda route: route.fulfill(body=PAGE, headers=headers))
    page.goto(f"{server.url}/viewer-page")
    if study:
        page.evaluate(OPEN, {"study": study})
