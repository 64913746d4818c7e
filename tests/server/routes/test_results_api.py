"""Tables, comparisons, figures, downloads of a study over a real server."""

from __future__ import annotations

import io
import json
import zipfile

import nanoarrow.ipc
import numpy as np
import pandas as pd
import pytest

from cellmetry.core.columns import Column
from cellmetry.io.tables import write_table
from cellmetry.server.downloading import zip_stream
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.results import add_result
from cellmetry.study.store.store import join_store

ARROW = "application/vnd.apache.arrow.stream"
NAME = 'Größe "50 %"; <b>x</b>'

OPTIONS = {"by": "group", "replicate": "group", "value": "area_um2", "table": "cells"}
RECORD = {
    "estimates": [{"difference": 1.5}],
    "comparisons": [{"options": OPTIONS}, {"options": {**OPTIONS, "table": "../cells"}}],
}


@pytest.fixture(scope="module")
def study(server):
    """A study with a table of 1,000 rows, a comparison, an export and a file with an odd name: ids by name."""
    with server.client() as client:
        made = client.post("studies", json={"name": "results"}).json()
    [folder] = server.home.glob("results*.cellmetry")
    store = join_store(folder)
    place = folder / "jobs" / "job_0000000000000001"
    cells = pd.DataFrame({"label": np.arange(1, 1001), "area_um2": np.linspace(0, 99.9, 1000)})
    cells["group"] = np.where(cells["label"] % 2, "a", "b")
    cells.loc[3, "area_um2"] = np.inf
    write_table(cells, place / "cells.parquet", [Column("area_um2", "um2", "Area.", "Cellmetry")])
    comparison = place / "comparison"
    (comparison / "figures").mkdir(parents=True)
    (comparison / "comparison.json").write_text(json.dumps(RECORD))
    (comparison / "report.html").write_text("<script>alert(1)</script>")
    (comparison / "figures" / "effect.svg").write_text("<svg/>")
    (comparison / "figures" / "effect.png").write_bytes(b"\x89PNG")
    write_table(cells[cells["group"] == "a"], comparison / "tables" / "cells.parquet")
    (comparison / "link").symlink_to("/etc/passwd")
    (place / "labels.zip").write_bytes(b"PK")
    ids = {"study": made["id"]}
    for kind, name, path in (
        ("table", "cells", place / "cells.parquet"),
        ("comparison", "treated", comparison),
        ("export", NAME, place / "labels.zip"),
    ):
        with store.database.write():
            seq = act(store, Actor("t", "python"), "test", f"Add {kind}")
            ids[kind] = add_result(store, seq, kind, name, path, details={"rows": 1})
    store.database.close()
    return ids


@pytest.fixture
def at(study):
    """Return the URL of something of the study."""
    return lambda rest: f"studies/{study['study']}/{rest}"


def test_a_table_is_listed_with_what_its_columns_mean(client, study, at):
    [table] = client.get(at("tables")).json()
    assert (table["id"], table["name"], table["rows"]) == (study["table"], "cells", 1000)
    assert {"name": "area_um2", "unit": "um2", "definition": "Area.", "source": "Cellmetry"} in table["columns"]
    assert client.get(at(f"tables/{study['table']}")).json() == table
    assert client.get(at(f"tables/{study['export']}")).status_code == 404


def test_rows_are_filtered_sorted_selected_and_paged(client, study, at):
    url = at(f"tables/{study['table']}/rows")
    query = {"where": ["area_um2 > 50", 'group == "a"'], "sort": "-label", "columns": ["label", "group"], "limit": 3}
    page = client.get(url, params=query).json()
    assert page["rows"] == [{"label": label, "group": "a"} for label in (999, 997, 995)]
    assert page["total"] == 249
    assert client.get(url, params={**query, "offset": 3}).json()["rows"][0]["label"] == 993
    body = {"where": query["where"], "sort": ["-label"], "columns": ["label", "group"], "limit": 3}
    assert client.post(at(f"tables/{study['table']}/query"), json=body).json() == page


def test_a_table_is_saved_whole_as_csv(client, study, at):
    answer = client.get(at(f"tables/{study['table']}/download"))
    table = client.get(at(f"tables/{study['table']}")).json()
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f'filename="{table["name"]}.csv"' in answer.headers["content-disposition"]
    lines = answer.text.splitlines()
    assert lines[0].split(",") == [column["name"] for column in table["columns"]]
    assert len(lines) == table["rows"] + 1


def test_an_infinite_value_is_null_and_arrow_has_the_same_rows(client, study, at):
    url = at(f"tables/{study['table']}/rows")
    rows = client.get(url, params={"limit": 5}).json()["rows"]
    assert rows[3]["area_um2"] is None
    answer = client.get(url, params={"limit": 5}, headers={"Accept": ARROW})
    assert answer.headers["content-type"] == ARROW
    assert answer.headers["x-cellmetry-total"] == "1000"
    with nanoarrow.ipc.InputStream.from_readable(io.BytesIO(answer.content)) as stream:
        batch = nanoarrow.Array(stream)
    assert [row["label"] for row in batch.to_pylist()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"where": "area_um > 3"}, "area_um2"),
        ({"where": "__import__('os')"}, "where"),
        ({"sort": "lable"}, "label"),
        ({"columns": "x"}, "column"),
        ({"limit": 100_000}, "limit"),
        ({"offset": -1}, "offset"),
        ({"where": "x" * 2000}, "where"),
    ],
)
def test_a_wrong_question_is_refused_in_words(client, study, at, query, said):
    answer = client.get(at(f"tables/{study['table']}/rows"), params=query)
    assert answer.status_code in {404, 422}, answer.text
    assert said in answer.json()["error"]["message"]


def test_a_report_is_shown_only_in_a_frame_of_ours_and_of_no_origin(client, study, at):
    shown = client.get(at(f"comparisons/{study['comparison']}/report"), params={"shown": True})
    assert shown.headers["content-disposition"] == "inline"
    assert shown.headers["x-frame-options"] == "SAMEORIGIN"
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "frame-ancestors 'self'" in policy
    assert "allow-same-origin" not in policy


def test_plots_ask_for_counts_columns_and_places(client, study, at):
    rows = client.get(at(f"tables/{study['table']}/rows"), params={"sort": "-label", "limit": 10_000}).json()
    labels = [row["label"] for row in rows["rows"]]
    counts = client.post(at(f"tables/{study['table']}/summary"), json={"column": "label", "bins": 3}).json()
    assert sum(counts["groups"][0]["counts"]) == counts["total"] == len(labels)
    whole = client.post(at(f"tables/{study['table']}/values"), json={"columns": ["label"]}).json()
    assert sorted(whole["values"]["label"]) == sorted(labels)
    asked = {"key": {"label": max(labels)}, "sort": ["-label"]}
    assert client.post(at(f"tables/{study['table']}/place"), json=asked).json() == {"place": 0}
    wrong = client.post(at(f"tables/{study['table']}/summary"), json={"column": "lable"})
    assert wrong.status_code == 404
    assert "label" in wrong.json()["error"]["message"]


def test_a_comparison_has_its_estimates_a_report_to_save_and_figures(client, study, at):
    assert [each["id"] for each in client.get(at("comparisons")).json()] == [study["comparison"]]
    assert client.get(at(f"comparisons/{study['comparison']}")).json() == RECORD
    report = client.get(at(f"comparisons/{study['comparison']}/report"))
    assert report.text.startswith("<script>")
    assert report.headers["content-disposition"].startswith("attachment")
    assert report.headers["x-content-type-options"] == "nosniff"
    assert report.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    figures = client.get(at("figures")).json()
    assert [each["file"] for each in figures] == ["figures/effect.png", "figures/effect.svg"]
    for each in figures:
        picture = client.get(at(f"results/{each['result']}/download"), params={"file": each["file"]})
        assert picture.status_code == 200
        assert picture.headers["content-disposition"].startswith("attachment")
    assert client.get(at(f"comparisons/{study['export']}")).status_code == 404
    assert client.get(at(f"comparisons/{study['comparison']}/report"), params={"form": "pdf"}).status_code == 404


def test_the_rows_of_a_comparison_are_those_that_it_used(client, study, at):
    path = at(f"comparisons/{study['comparison']}/cells")
    found = client.get(path, params={"most": 1000}).json()
    assert found["total"] == 500
    values = found["values"]
    assert sorted(values) == ["condition", "label", "replicate", "value"]
    assert set(values["condition"]) == {"a"}
    assert values["label"] == list(range(1, 1001, 2))
    assert client.get(path, params={"number": 2}).status_code == 404
    assert client.get(path, params={"number": 1}).status_code == 404  # its table is not there


def test_a_folder_is_downloaded_as_a_zip_without_its_links(client, study, at):
    answer = client.get(at(f"results/{study['comparison']}/download"))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = ["comparison.json", "figures/effect.png", "figures/effect.svg", "report.html", "tables/cells.parquet"]
        assert archive.namelist() == names
        assert archive.read("report.html") == b"<script>alert(1)</script>"
    listed = client.get(at(f"results/{study['comparison']}/files")).json()
    assert [each["name"] for each in listed] == archive.namelist()


def test_a_download_keeps_any_name(client, study, at):
    answer = client.get(at(f"results/{study['export']}/download"))
    said = answer.headers["content-disposition"]
    assert 'filename="Gr__e _50 __' in said
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%2250%20%25%22%3B%20%3Cb%3Ex%3C%2Fb%3E.zip" in said


FOREIGN = ["../comparison.json", "/etc/passwd", "link", "..%2f..%2fstudy.sqlite", "figures", "nothing"]


@pytest.mark.parametrize("name", FOREIGN)
def test_only_names_in_the_list_lead_to_files(client, study, at, name):
    answer = client.get(at(f"results/{study['comparison']}/download"), params={"file": name})
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_a_result_is_hidden_and_comes_back(client, study, at):
    seq = client.delete(at(f"results/{study['export']}")).json()["act"]
    assert client.get(at("exports")).json() == []
    assert client.get(at(f"results/{study['export']}")).json()["removed_by"] == seq
    assert client.post(at(f"acts/{seq}/undo")).status_code == 200
    assert [each["id"] for each in client.get(at("exports")).json()] == [study["export"]]


def test_a_long_folder_is_sent_piece_by_piece(tmp_path):
    noise = np.random.default_rng(0).bytes(5 << 20)
    (tmp_path / "a.bin").write_bytes(noise)
    parts = list(zip_stream(tmp_path))
    assert max(map(len, parts)) < 2 << 20
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.read("a.bin") == noise
