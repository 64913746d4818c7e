"""Images over a real server: uploads, hostile names, registering folders, what is said, originals, removing."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import image_from_array
from cellmetry.io.image_store import write_image_store
from cellmetry.server.uploads import stored_name

PIXELS = np.arange(64 * 80, dtype=np.uint16).reshape(64, 80)


@pytest.fixture
def url(client, tools):
    """The address of an empty study."""
    return f"studies/{tools.new_study(client)}"


def upload(client, url, files, **fields):
    parts = [("files", (name, body, "application/octet-stream")) for name, body in files]
    return client.post(f"{url}/images", files=parts, data=fields)


def below(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


def test_files_of_one_image_are_found_by_their_names(client, url, tools):
    files = [(f"B02_w{channel}.tif", tools.tiff(PIXELS + channel)) for channel in range(2)]
    answer = upload(client, url, files, reading=json.dumps({"pattern": "{well}_w{channel}.tif", "pixel_size_um": 0.5}))
    assert answer.status_code == 201, answer.text
    (image,) = answer.json()
    assert len(image["files"]) == 2
    view = tools.wait_ready(client, f"{url}/images/{image['id']}")
    assert view["state"] == "ready", view["reason"]
    assert len(view["header"]["channels"]) == 2
    assert view["header"]["pixel_size_um"]["x"] == 0.5


NAMES = [
    "Zellen äöü.tif",
    "🔬🧫.tif",
    f"{'a' * 251}.tif",
    "e\u0301.tif",
    "é.tif",
    "with space.tif",
    "CON",
    "con.tif",
    "trailing dot.",
    "trailing space ",
    "new\nline.tif",
    "<img src=x onerror=alert(1)>.tif",
    "../../up.tif",
    "/etc/passwd",
    "..\\..\\up.tif",
    "\\\\host\\share\\x.tif",
    "C:\\x.tif",
    ".hidden",
    "..",
    '"quoted"; filename=x.tif',
    "%2e%2e%2fup.tif",
    "null\0.tif",
    "study.sqlite",
]


def test_names_are_text_and_files_are_ours(server, client, url, tools):
    folder = tools.folder_of(server, client, url.rsplit("/", 1)[-1])
    outside = below(server.home.parent) - below(folder)
    answer = upload(client, url, [(name, tools.tiff(PIXELS + i)) for i, name in enumerate(NAMES)])
    assert answer.status_code == 201, answer.text
    images = answer.json()
    assert len(images) == len(NAMES)
    assert below(server.home.parent) - below(folder) == outside
    (stored,) = (folder / "uploads").iterdir()
    kept = sorted(path.name for path in stored.iterdir())
    assert len(kept) == len({name.casefold() for name in kept}) == len(NAMES)
    assert all(name.isascii() and name.isprintable() and not set(name) & set('/\\:*?"<>|') for name in kept)
    originals = [client.get(f"{url}/images/{each['id']}/originals").json()[0] for each in images]
    assert all(each["status"] == "there" for each in originals)
    shown = {each["name"] for each in originals}
    assert {"Zellen äöü.tif", "🔬🧫.tif", "<img src=x onerror=alert(1)>.tif"} <= shown
    assert not any(".." in name.split("/") for name in shown)
    for number, name in ((0, "Zellen äöü.tif"), (11, "<img src=x onerror=alert(1)>.tif")):
        at = next(i for i, each in enumerate(originals) if each["name"] == name)
        got = client.get(f"{url}/images/{images[at]['id']}/originals/{images[at]['files'][0]}")
        assert got.content == tools.tiff(PIXELS + number)
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.headers["x-content-type-options"] == "nosniff"


@given(st.lists(st.text(max_size=300), max_size=8))
def test_stored_names_are_harmless_and_different(names):
    taken: set[str] = set()
    for name in names:
        stored = stored_name(name, taken)
        assert stored.isascii()
        assert stored not in {"", ".", ".."}
        assert len(stored) <= 120
        assert not set(stored) & set('/\\:*?"<>|\0\n')
        assert stored[-1] not in ". "
        assert stored.lower() not in taken
        taken.add(stored.lower())


def test_a_broken_file_says_why_and_the_others_are_read(client, url, tools):
    good = tools.tiff(PIXELS)
    answer = upload(client, url, [("good.tif", good), ("cut.tif", good[:200]), ("text.tif", b"hello"), ("no.tif", b"")])
    assert answer.status_code == 201, answer.text
    views = {each["name"]: tools.wait_ready(client, f"{url}/images/{each['id']}") for each in answer.json()}
    states = {name: view["state"] for name, view in views.items()}
    assert states == {"good": "ready", "cut": "failed", "text": "failed", "no": "failed"}
    failed = next(view for view in views.values() if view["state"] == "failed")
    assert failed["reason"]
    refused = client.get(f"{url}/images/{failed['id']}/tiles/0/0/0/0/0/0")
    assert refused.status_code == 404
    assert "could not be read" in refused.json()["error"]["message"]


def boundary(body, *, end=True, name="a.tif"):
    head = f'--xx\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    return head + body + (b"\r\n--xx--\r\n" if end else b"")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (boundary(b"abc", end=False), "multipart/form-data; boundary=xx", 422),
        (b"--xx--\r\n", "multipart/form-data; boundary=xx", 422),
        (b"", "multipart/form-data; boundary=xx", 422),
        (b"rubbish", "multipart/form-data; boundary=xx", 422),
        (boundary(b"abc"), "multipart/form-data", 415),
        (boundary(b"abc"), f"multipart/form-data; boundary={'x' * 100}", 415),
        (b"{}", "application/json", 415),
        (boundary(b"PK", name="many.zip"), "multipart/form-data; boundary=xx", 415),
        (boundary(b"{}", name="a.zarr/zarr.json"), "multipart/form-data; boundary=xx", 415),
        (boundary(b"{}", name="x" * 9000), "multipart/form-data; boundary=xx", 422),
        (boundary(b"a").replace(b'"files"', b'"other"'), "multipart/form-data; boundary=xx", 422),
        (boundary(b"a").replace(b'"files"; filename="a.tif"', b'"reading"'), "multipart/form-data; boundary=xx", 422),
    ],
    ids=range(12),
)
def test_a_malformed_upload_leaves_nothing(server, client, url, tools, body, kind, status):
    folder = tools.folder_of(server, client, url.rsplit("/", 1)[-1])
    answer = client.post(f"{url}/images", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert not list((folder / "uploads").glob("*")) + list((folder / "uploads").glob(".*"))
    assert client.get(f"{url}/images").json() == []


@pytest.mark.parametrize("reading", ["{", "[]", '{"axes": 5}', '{"pixel_size_um": NaN}', '{"wrong": 1}', "[" * 50_000])
def test_a_senseless_reading_leaves_nothing(server, client, url, tools, reading):
    folder = tools.folder_of(server, client, url.rsplit("/", 1)[-1])
    answer = upload(client, url, [("a.tif", tools.tiff(PIXELS))], reading=reading)
    assert 400 <= answer.status_code < 500, answer.text
    assert not list((folder / "uploads").glob("*"))


def test_a_folder_below_the_roots_is_registered_by_reference(server, client, url, tools):
    folder = server.home.parent / "images"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.tif").write_bytes(tools.tiff(PIXELS + ord(name)))
    answer = client.post(f"{url}/images/register", json={"paths": [str(folder)]})
    assert answer.status_code == 201, answer.text
    images = answer.json()
    assert [each["name"] for each in images] == ["a", "b"]
    (folder / "a.tif").rename(folder / "moved.tif")
    originals = f"{url}/images/{images[0]['id']}/originals"
    tools.wait_ready(client, f"{url}/images/{images[0]['id']}")
    assert client.get(originals).json()[0]["status"] == "missing"
    gone = client.get(f"{originals}/{images[0]['files'][0]}")
    assert gone.status_code == 404
    assert gone.json()["error"]["message"].startswith("a.tif is not there any more")
    missing = {"id": images[0]["files"][0], "name": "a.tif", "images": ["a"]}
    assert client.get(f"{url}/originals/missing").json() == [missing]
    assert client.post(f"{url}/originals/relink", json={"path": str(folder)}).json() == images[0]["files"]
    assert client.get(f"{url}/originals/missing").json() == []
    assert client.get(originals).json()[0]["status"] == "there"
    (folder / "b.tif").write_bytes(b"other")
    assert client.get(f"{url}/images/{images[1]['id']}/originals").json()[0]["status"] == "changed"


@pytest.mark.parametrize("way", ["outside", "up", "link", "link inside", "share", "url", "relative", "null", "home"])
def test_a_folder_elsewhere_is_refused(server, client, url, tools, tmp_path, way):
    (tmp_path / "secret.tif").write_bytes(tools.tiff(PIXELS))
    root = server.home.parent
    inside = root / f"inside {way}"
    inside.mkdir()
    if way == "link":
        os.symlink(tmp_path, inside / "out")
    if way == "link inside":
        os.symlink(tmp_path / "secret.tif", inside / "innocent.tif")
    path = {
        "outside": str(tmp_path),
        "up": f"{root}/../{tmp_path.name}",
        "link": str(inside / "out"),
        "link inside": str(inside),
        "share": "\\\\host\\share",
        "url": "http://127.0.0.1/a.tif",
        "relative": "images",
        "null": f"{root}\0x",
        "home": "~",
    }[way]
    answer = client.post(f"{url}/images/register", json={"paths": [path]})
    assert answer.status_code in (403, 404, 422), answer.text
    assert answer.json()["error"]["message"]
    assert client.get(f"{url}/images").json() == []


def test_links_in_an_image_that_is_a_folder_are_refused(server, client, url, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret of another user" * 100)
    root = server.home.parent / "linked"
    root.mkdir()
    for name in ("good", "bad"):
        write_image_store(image_from_array(PIXELS, name=name), root / f"{name}.ome.zarr")
    chunk = max((each for each in (root / "bad.ome.zarr").rglob("*") if each.is_file()), key=lambda it: len(it.parts))
    chunk.unlink()
    chunk.symlink_to(tmp_path / "secret")
    bad = client.post(f"{url}/images/register", json={"paths": [str(root)]})
    assert (bad.status_code, "bad.ome.zarr has a link" in bad.text) == (422, True), bad.text
    assert client.get(f"{url}/images").json() == []
    good = client.post(f"{url}/images/register", json={"paths": [str(root / "good.ome.zarr")]})
    assert good.status_code == 201, good.text


def test_what_is_said_of_images_holds_until_it_is_undone(client, url, tools):
    files = [(f"{name}.tif", tools.tiff(PIXELS + ord(name))) for name in "cab"]
    ids = {each["name"]: each["id"] for each in upload(client, url, files).json()}
    one = f"{url}/images/{ids['a']}"
    said = client.patch(one, json={"values": {"condition": "drug", "replicate": 1}, "pixel_size_um": 0.25}).json()[
        "said"
    ]
    assert said == {"condition": "drug", "replicate": 1, "pixel_size_um": 0.25}
    many = {"images": list(ids.values()), "values": {"condition": "control"}}
    act = client.patch(f"{url}/images", json=many).json()["act"]
    assert client.get(one).json()["said"]["condition"] == "control"
    client.post(f"{url}/acts/{act}/undo")
    assert client.get(one).json()["said"]["condition"] == "drug"
    listed = client.get(f"{url}/images", params={"sort": "name", "limit": 2}).json()
    assert [each["name"] for each in listed] == ["a", "b"]
    rest = client.get(f"{url}/images", params={"sort": "name", "after": listed[-1]["id"]}).json()
    assert [each["name"] for each in rest] == ["c"]
    assert [each["name"] for each in client.get(f"{url}/images", params={"name": "B"}).json()] == ["b"]
    client.post(f"{url}/images/remove", json={"images": [ids["b"]]})
    pages = [({"sort": "name"}, "c"), ({"sort": "-name"}, "a"), ({}, "c"), ({"sort": "-seq"}, "a")]
    for query, names in pages:  # the last of a page has been removed meanwhile
        rest = client.get(f"{url}/images", params={**query, "after": ids["b"]}).json()
        assert "".join(each["name"] for each in rest) == names
    assert client.get(f"{url}/images", params={"after": "img_0000000000000000"}).status_code == 404
    client.post(f"{url}/acts/{client.get(url).json()['last_act']}/undo")
    act = client.post(f"{url}/images/remove", json={"images": [ids["a"]]}).json()["act"]
    assert [each["name"] for each in client.get(f"{url}/images").json()] == ["b", "c"]
    assert client.get(one).json()["removed"] is True
    client.post(f"{url}/acts/{act}/undo")
    assert client.get(url).json()["images"] == 3


def test_pages_of_labels_go_on_after_ones_that_were_replaced_meanwhile(server, client, url, tools):
    files = [(f"{name}.tif", tools.tiff(PIXELS + ord(name))) for name in "abc"]
    images = [each["id"] for each in upload(client, url, files).json()]
    folder = tools.folder_of(server, client, url.partition("/")[2])
    first, second, third = (tools.put_labels(folder, each, np.ones(PIXELS.shape, np.uint32)) for each in images)
    page = client.get(f"{url}/labels", params={"limit": 2}).json()
    assert [each["id"] for each in page] == [first, second]
    again = tools.put_labels(folder, images[1], np.ones(PIXELS.shape, np.uint32))
    rest = client.get(f"{url}/labels", params={"limit": 2, "after": second}).json()
    assert [each["id"] for each in rest] == [third, again]
    assert client.get(f"{url}/labels", params={"after": "lbl_0000000000000000"}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"values": {"a b": 1}},
        {"values": {"pixel_size_um": 1}},
        {"values": {"condition": "x" * 500}},
        {"values": {"condition": ["x"]}},
        {"values": {f"k{i}": 1 for i in range(200)}},
        {"pixel_size_um": -1},
        {"channel_names": ["x" * 500]},
        {"values": {"dose": 2**53 + 1}},
        {"values": {"dose": -(10**400)}},
        {"wrong": 1},
        {"values": {"excluded": "no"}},
        {"values": {"excluded": 0}},
        {"channel_names": ["a", "b"]},
    ],
    ids=range(14),
)
def test_a_senseless_word_is_refused(client, url, tools, body):
    (image,) = upload(client, url, [("a.tif", tools.tiff(PIXELS))]).json()
    tools.wait_ready(client, f"{url}/images/{image['id']}")
    answer = client.patch(f"{url}/images/{image['id']}", json=body)
    assert answer.status_code == 422, answer.text
    assert client.get(f"{url}/images/{image['id']}").json()["said"] == {}


def test_a_study_has_a_name_and_notes(client, url):
    view = client.patch(url, json={"name": "New <b>name</b>", "notes": "What was done."}).json()
    assert (view["name"], view["notes"]) == ("New <b>name</b>", "What was done.")
    assert client.patch(url, json={"name": ""}).status_code == 422
    assert client.patch(url, json={"notes": "x" * 30_000}).status_code == 422
    act = client.get(f"{url}/acts").json()[0]["seq"]
    client.post(f"{url}/acts/{act}/undo")
    assert client.get(url).json()["name"] == "Cells"
