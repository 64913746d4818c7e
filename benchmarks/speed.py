"""Segmenting with the default model, beside the bare networks of Cellpose 3 and StarDist, on the same pixels.

Run in an environment that has Cellmetry and, for the comparison, `pip install 'cellpose<4' torch` (random weights are
enough: only time is measured): python benchmarks/speed.py --side 2048

Cellmetry is timed from an image in memory to labels: stretching, network, decoding, clean-up, seams. Cellpose's network
runs as Cellpose runs it, in tiles of 224 pixels that overlap by a tenth, without its decoding; StarDist's is the U-Net
of its default configuration (depth 3, 32 filters, grid 1, 32 rays), built in torch, in one pass. All take two threads.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

import cellmetry as cm
from cellmetry.learn.generate import FieldLook, generate_field

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 2


def picture(side: int) -> np.ndarray:
    """Return a field of nuclei, tiled from one that is generated."""
    field = generate_field(FieldLook(kind="nuclei", shape=(512, 512), diameter_px=(20, 28)), seed=3).image
    repeats = -(-side // 512)
    return np.tile(field, (repeats, repeats))[:side, :side]


def cellmetry_seconds(pixels: np.ndarray, model: str) -> Callable[[], None]:
    image = cm.image_from_array(pixels, "YX")
    return lambda: cm.segment(image, engine="cellmetry", model=model)


def cellpose_network(pixels: np.ndarray) -> Callable[[], None]:
    import torch
    from cellpose.core import run_net
    from cellpose.resnet_torch import CPnet

    torch.set_num_threads(THREADS)
    network = CPnet([2, 32, 64, 128, 256], 3, sz=3, mkldnn=False, diam_mean=30.0).eval()
    low, high = np.percentile(pixels, (1, 99))
    grey = ((pixels - low) / (high - low)).astype(np.float32)
    two = np.stack([grey, np.zeros_like(grey)], axis=-1)[None]
    return lambda: run_net(network, two, batch_size=8, augment=False, bsize=224)


def stardist_network(pixels: np.ndarray) -> Callable[[], None]:
    import torch
    from torch import nn

    torch.set_num_threads(THREADS)

    def pair(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU()
        )

    class StarNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = (32, 64, 128)
            self.down = nn.ModuleList(pair(i, o) for i, o in zip((1, *widths), widths, strict=False))
            self.middle = nn.Sequential(
                nn.Conv2d(128, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, 128, 3, padding=1), nn.ReLU()
            )
            self.up = nn.ModuleList(
                nn.Sequential(nn.Conv2d(i, w, 3, padding=1), nn.ReLU(), nn.Conv2d(w, o, 3, padding=1), nn.ReLU())
                for i, w, o in ((256, 128, 64), (128, 64, 32), (64, 32, 32))
            )
            self.features = nn.Conv2d(32, 128, 3, padding=1)
            self.rays, self.probability = nn.Conv2d(128, 32, 1), nn.Conv2d(128, 1, 1)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            skips = []
            for block in self.down:
                x = block(x)
                skips.append(x)
                x = nn.functional.max_pool2d(x, 2)
            x = self.middle(x)
            for block, skip in zip(self.up, reversed(skips), strict=True):
                x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2.0), skip], 1))
            x = torch.relu(self.features(x))
            return self.rays(x), torch.sigmoid(self.probability(x))

    network = StarNet().eval()
    tile = torch.from_numpy(pixels.astype(np.float32))[None, None]

    def run() -> None:
        with torch.inference_mode():
            network(tile)

    return run


def seconds(run: Callable[[], None], repeats: int) -> float:
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--model", default="base")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="leave out the other networks")
    options = parser.parse_args()
    os.environ["CELLMETRY_THREADS"] = str(THREADS)
    pixels = picture(options.side)
    megapixels = pixels.size / 1e6
    ours = seconds(cellmetry_seconds(pixels, options.model), options.repeats)
    print(f"cellmetry, image to labels   {ours:7.2f} s   {megapixels / ours:6.2f} megapixels a second")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory                  {peak:7.0f} MB")
    if options.alone:
        return
    for name, make in (("Cellpose 3, network only", cellpose_network), ("StarDist, network only", stardist_network)):
        taken = seconds(make(pixels), 1)
        print(
            f"{name:28} {taken:7.2f} s   {megapixels / taken:6.2f} megapixels a second   {taken / ours:5.1f} times ours"
        )


if __name__ == "__main__":
    main()
