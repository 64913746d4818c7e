"""Ask a Cellmetry server from Python: `python examples/client.py`. It starts one of its own in a temporary folder."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cellmetry as cm
from cellmetry.client.client import Client
from cellmetry.ops.synthetic import field_image, make_cells


def work(client: Client, folder: Path) -> None:
    files = [folder / f"field {number}.ome.tif" for number in (1, 2)]
    for number, file in enumerate(files):
        cm.write_image(field_image(make_cells((256, 256), 12, seed=number), pixel_size_um=0.5), file)

    study = client.create_study("fields")
    study.upload(files)
    study.wait_read()
    study.segment("any", set=["segment.channel=signal"]).wait()
    labels = study.label_images()[0]["id"]
    study.edit(labels, "delete", ids=[1])
    study.measure().wait()

    table = study.table("cells", columns=["image", "label", "area_um2", "circularity"], sort="-area_um2")
    print(f"{len(table)} cells")
    print(table.head().to_string(index=False))
    print(*(f"{act['via']}: {act['summary']}" for act in study.history()[:3]), sep="\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        os.environ["CELLMETRY_HOME"] = name  # where the server keeps studies, and the client finds its address
        command = [sys.executable, "-m", "cellmetry", "serve", "--port", "0", "--no-browser"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603  our own words
            print(server.stdout.readline().partition(" at ")[0])
            try:
                with cm.Client() as client:
                    work(client, Path(name))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
