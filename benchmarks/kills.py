"""Whether what a server answered outlives SIGKILL: the server or its worker killed at random times, again and again.

Run: python benchmarks/kills.py [--kills 50] [--images 10] [--seed 0] [--folder FOLDER]

A study is edited (with undo, redo, and edits that conflict), its images are described, files are uploaded to it, a
batch segments and measures its images, and another job segments an image over the corrected labels, which are rebased,
all at once over HTTP, while the server or the worker process is killed. After each kill of the server the study is
opened at once, by this program or the next server, while its worker may still end: nothing may have to be mended,
SQLite and `verify` find no fault, no half-written file is left, everything that was answered is there to the last
pixel, and a rebase has looked at every correction that was saved before it. At last the batch, resumed after every
kill, is compared with one that nothing interrupted. The exit code is 1 if anything was lost.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import psutil
import tifffile

from cellmetry.core.labels import Labels, labels_hash
from cellmetry.io.hashing import content_hash
from cellmetry.study.store.acts import find_act
from cellmetry.study.store.images import image, said_of
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.originals import original, original_path
from cellmetry.study.store.restoring import labels_at
from cellmetry.study.store.store import open_store
from cellmetry.study.store.verifying import verify

if TYPE_CHECKING:
    from cellmetry.study.store.store import Store

SIDE = 160
RECIPE = """
name = "squares"
[[steps]]
step = "segment"
engine = "classical"
[steps.options]
look = "bright"
[[steps]]
step = "measure"
"""
LOST = (httpx.TransportError, httpx.StreamError, json.JSONDecodeError)
SERVE = """
import typer
from cellmetry.cli.serve import serve
typer.run(serve)
"""
NOTE = "note_"
CORRECTED = "edited"
"""Name of the labels that are edited, and segmented again."""
DRAW, UNDO, REDO, RIVAL = "draw", "undo", "redo", "rival"
WAYS = (DRAW,) * 5 + (UNDO, UNDO, REDO, RIVAL)
REFUSED, WRONG = 409, 422
WAIT_S = 20.0
ENDED = ("done", "failed", "cancelled", "interrupted")


@dataclass
class Promised:
    """What was answered: it must be there ever after."""

    edits: dict[tuple[str, int], str] = field(default_factory=dict)
    """Hashes of versions of labels, empty where they were not read."""
    refused: int = 0
    said: dict[str, int] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    acts: set[int] = field(default_factory=set)


@dataclass
class Server:
    """A server that can be killed, and begun anew."""

    home: Path
    process: subprocess.Popen[bytes] | None = None
    client: httpx.Client = field(default_factory=httpx.Client)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        (self.home / "server.json").unlink(missing_ok=True)
        command = [sys.executable, "-c", SERVE, "--home", str(self.home), "--port", "0", "--no-browser"]
        with (self.home / "server.log").open("ab") as said:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said)
        assert self.process.stdout is not None
        printed = self.process.stdout.readline().decode()
        if "serves at " not in printed:
            raise AssertionError((self.home / "server.log").read_text())
        url = printed.split("serves at ")[1].split()[0].partition("/?")[0]
        token = json.loads((self.home / "server.json").read_text())["token"]
        headers = {"Authorization": f"Bearer {token}", "X-Cellmetry": "1"}
        self.client = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1/", headers=headers, timeout=60)
        for _ in range(1200):
            with suppress(*LOST):
                if self.client.get("studies").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("The server does not answer.")

    def workers(self) -> list[psutil.Process]:
        """Return the processes that work on jobs."""
        found = []
        with suppress(psutil.Error):
            assert self.process is not None
            for each in psutil.Process(self.process.pid).children(recursive=True):
                with suppress(psutil.Error):
                    if "cellmetry.pipeline.jobs.worker" in each.cmdline():
                        found.append(each)
        return found

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def end(self) -> None:
        """End it in order."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.client.close()


def picture(seed: int) -> bytes:
    """Return the TIFF of bright blurred squares."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(200, 5, (SIDE, SIDE))
    for y in range(8, SIDE - 16, 24):
        for x in range(8, SIDE - 16, 24):
            pixels[y : y + 12, x : x + 12] += 800 + rng.integers(100)
    out = io.BytesIO()
    tifffile.imwrite(out, pixels.astype(np.uint16), photometric="minisblack")
    return out.getvalue()


def ask(client: httpx.Client, method: str, path: str, **more: Any) -> Any:
    """Return what is answered to a request that must be done."""
    answer = client.request(method, path, **more)
    if not answer.is_success:
        raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json()


def finish(client: httpx.Client, study: str, job: str, *, resume: bool = False) -> dict[str, Any]:
    """Wait until a job is done, resuming it; its view."""
    path = f"studies/{study}/jobs/{job}"
    while True:
        found: dict[str, Any] = ask(client, "GET", path)
        if found["state"] == "done":
            return found
        if found["state"] in ENDED:
            if not resume:
                raise AssertionError(found)
            ask(client, "POST", f"{path}/resume")
        time.sleep(0.1)


def _left_out(job: dict[str, Any]) -> bool:
    """Return whether a job gave up images: one at which its worker was killed twice."""
    return bool(job["result"].get("failed"))


def new_study(client: httpx.Client, name: str, images: int) -> str:
    """Return the id of a study with images that are read."""
    study = str(ask(client, "POST", "studies", json={"name": name})["id"])
    files = [("files", (f"i{number}.tif", picture(number))) for number in range(images)]
    ask(client, "POST", f"studies/{study}/images", files=files)
    for job in ask(client, "GET", f"studies/{study}/jobs"):
        finish(client, study, job["id"])
    return study


def segment(client: httpx.Client, study: str, images: list[str], name: str) -> str:
    """Return the id of a job that segments images."""
    parameters = {"recipe_text": RECIPE, "images": images, "labels_name": name}
    return str(ask(client, "POST", f"studies/{study}/jobs", json={"kind": "segment", "parameters": parameters})["id"])


def tables_of(client: httpx.Client, study: str, job: str, images: list[str]) -> dict[str, bytes]:
    """Return the sorted rows of the tables of a batch, and of its labels measured anew."""
    parameters = {"labels": "batch", "images": images, "table": "measured"}
    measured = ask(client, "POST", f"studies/{study}/jobs", json={"kind": "measure", "parameters": parameters})["id"]
    kept = {"measured": finish(client, study, measured)["result"]["table"]}
    kept |= ask(client, "GET", f"studies/{study}/jobs/{job}")["result"]["tables"]  # another job's may hide them by now
    found = {}
    for name, table in kept.items():
        rows = ask(client, "GET", f"studies/{study}/tables/{table}/rows", params={"limit": 10_000})["rows"]
        found[name] = "\n".join(sorted(json.dumps(_lasting(row), sort_keys=True) for row in rows)).encode()
    return found


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without how long it took, and without the notes, which stand in one of the studies only."""
    return {name: value for name, value in row.items() if name != "seconds" and not name.startswith(NOTE)}


@dataclass
class Users:
    """Programs that edit, describe and upload until they are told to stop, and write down what was answered."""

    client: httpx.Client
    study: str
    images: list[str]
    promised: Promised
    seed: int
    done: Counter[str]
    last: tuple[str, int, list[list[float]]] | None = None
    """Labels, version and outline of what was drawn last."""
    began: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    faults: list[str] = field(default_factory=list)

    def run(self, jobs: tuple[Any, ...]) -> list[threading.Thread]:
        """Start them all."""
        threads = [threading.Thread(target=self._go_on, args=(job, place)) for place, job in enumerate(jobs)]
        for each in threads:
            each.start()
        return threads

    def _go_on(self, job: Any, place: int) -> None:
        rng = np.random.default_rng([self.seed, place])
        while not self.over.is_set():
            try:
                job(self, rng)
            except LOST:
                return
            except AssertionError as error:
                self.faults.append(str(error))
                return

    def edit(self, rng: np.random.Generator) -> None:
        """Draw, take back what was drawn, do it again, or draw in another window what that did not see."""
        listed = ask(self.client, "GET", f"studies/{self.study}/labels", params={"image": self.images[0]})
        [labels] = [each["id"] for each in listed if each["name"] == CORRECTED]
        path, way = f"studies/{self.study}/labels/{labels}", str(rng.choice(WAYS))
        y, x = (float(each) for each in rng.integers(0, SIDE - 12, 2))
        outline = [[y, x], [y, x + 9], [y + 9, x + 9], [y + 9, x]]
        body: dict[str, Any] = {"session": "editor"}
        if way == RIVAL:
            if self.last is None or self.last[0] != labels:
                return
            _, version, outline = self.last
            body = {"session": RIVAL, "base_version": version - 1}
        if way in (DRAW, RIVAL):
            body |= {"operation": DRAW, "parameters": {"points": outline, "over": True}}
        answer = self.client.post(f"{path}/{'edits' if way in (DRAW, RIVAL) else way}", json=body)
        if answer.status_code in (REFUSED, WRONG):
            refused = answer.status_code == REFUSED
            self.done[f"{way} refused"] += refused
            self.promised.refused += refused and way == RIVAL
            return
        if not answer.is_success:
            raise AssertionError(answer.text)
        done = answer.json()
        self.done[way] += 1
        self.began.set()
        self.promised.edits.setdefault((labels, done["version"]), "")
        if done["act"] is not None:
            self.promised.acts.add(done["act"])
            if way == DRAW:
                self.last = (labels, done["version"], outline)
        tile = self.client.get(f"{path}/tiles/0/0/0/0/0", params={"version": done["version"]})
        if tile.status_code == 200:
            plane = np.frombuffer(tile.content, "<u4").reshape(SIDE, SIDE).astype(np.uint32)
            self.promised.edits[labels, done["version"]] = labels_hash(Labels(plane))

    def say(self, rng: np.random.Generator) -> None:
        """Say something of an image."""
        which, value = str(rng.choice(self.images)), int(rng.integers(1 << 30))
        ask(self.client, "PATCH", f"studies/{self.study}/images/{which}", json={"values": {f"{NOTE}{value}": value}})
        self.promised.said[f"{which} {NOTE}{value}"] = value
        time.sleep(0.05)

    def upload(self, rng: np.random.Generator) -> None:
        """Upload an image."""
        content = picture(int(rng.integers(1 << 30)))
        [made] = ask(self.client, "POST", f"studies/{self.study}/images", files=[("files", ("more.tif", content))])
        self.promised.uploads[made["id"]] = content.hex()
        time.sleep(0.3)


def faults_of(folder: Path, promised: Promised, workers: list[psutil.Process]) -> list[str]:
    """Return what is wrong with a study that lies on the disk, and whose workers may still be ending."""
    found = []
    ending = any(each.is_running() for each in workers)
    with open_store(folder) as store:
        found += [f"opening: {each}" for each in (*store.notices, store.read_only) if each]
        _wait_for(workers)
        store.keep_up()
        found += [f"SQLite: {each}" for each in store.database.check()]
        found += [f"verify: {each}" for each in verify(store, thorough=True)]
        if not ending:
            found += [f"left: {each.relative_to(folder)}" for each in folder.rglob(".cellmetry-*")]
        found += _rebase_faults(store)
        found += _edit_faults(store, promised)
        for seq in promised.acts:
            find_act(store, seq)
        for words, value in promised.said.items():
            image_id, key = words.split()
            if said_of(store, image_id).get(key) != value:
                found.append(f"{words} is lost")
        for image_id, content in promised.uploads.items():
            [file] = (original(store, each) for each in image(store, image_id).source["files"])
            path = original_path(store, file)
            if path.read_bytes().hex() != content or content_hash(path) != file.sha256:
                found.append(f"the upload {image_id} is lost")
    return found


def _edit_faults(store: Store, promised: Promised) -> list[str]:
    """Return which edits, saved or refused, are not what was answered."""
    found = []
    refused = store.database.rows("SELECT act FROM edits WHERE version IS NULL")
    if len(refused) < promised.refused:
        found.append(f"{promised.refused - len(refused)} refused edits are lost")
    for (labels, version), sha256 in promised.edits.items():
        newest = label_set(store, labels).version
        if version > newest:
            found.append(f"edit {version} of {labels} is lost; the newest is {newest}")
        elif sha256 and labels_hash(labels_at(store, labels, version)) != sha256:
            found.append(f"edit {version} of {labels} has other pixels")
    return found


def _rebase_faults(store: Store) -> list[str]:
    """Return which edits a rebase did not look at, though they were saved before it; undone ones are left out."""
    found = []
    for row in store.database.rows("SELECT act, parameters FROM edits WHERE operation = 'rebase' AND version = 1"):
        said = json.loads(row["parameters"])
        saved = store.database.rows(
            "SELECT act FROM edits JOIN acts ON acts.seq = edits.act WHERE labels_id = ? AND version IS NOT NULL "
            "AND act < ? AND undoes IS NULL AND act NOT IN (SELECT undoes FROM acts WHERE undoes IS NOT NULL)",
            (said["old"], row["act"]),
        )
        lost = [each["act"] for each in saved if str(each["act"]) not in said["outcomes"]]
        found += [f"the rebase of {said['old']} (act {row['act']}) did not look at act {each}" for each in lost]
    return found


@dataclass
class Trial:
    """A study that is worked on while its server is killed, and one of the same images that nothing interrupted."""

    server: Server
    rng: np.random.Generator
    seed: int
    images: int
    promised: Promised = field(default_factory=Promised)
    faults: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    study: str = ""
    own: list[str] = field(default_factory=list)
    batch: str = ""
    rebase: str = ""
    truth: dict[str, bytes] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the study lies."""
        [folder] = self.server.home.glob("killed*.cellmetry")
        return folder

    def prepare(self) -> None:
        """Make both studies; the batch of one is done, that of the other begun."""
        self.server.start()
        client = self.server.client
        reference, own = self._new("reference")
        job = segment(client, reference, own, "batch")
        finish(client, reference, job)
        self.truth = tables_of(client, reference, job, own)
        self.study, self.own = self._new("killed")
        finish(client, self.study, segment(client, self.study, self.own[:1], CORRECTED))
        self.rebase = segment(client, self.study, self.own[:1], CORRECTED)
        self.batch = segment(client, self.study, self.own, "batch")

    def _new(self, name: str) -> tuple[str, list[str]]:
        study = new_study(self.server.client, name, self.images)
        return study, [each["id"] for each in ask(self.server.client, "GET", f"studies/{study}/images")]

    def kill(self, number: int) -> None:
        """Let users work, kill the worker or the server, and look what became of the study."""
        client, seed = self.server.client, self.seed + number
        users = Users(client, self.study, self.own, self.promised, seed, self.done)
        threads = users.run((Users.edit, Users.say, Users.upload))
        users.began.wait(WAIT_S)
        self._wait_for_rebase()
        time.sleep(float(self.rng.uniform(0.2, 2.5)))
        workers = self.server.workers()
        if workers and self.rng.random() < 0.35:
            self.done["worker killed"] += 1
            for each in workers:
                with suppress(psutil.Error):
                    each.kill()
            time.sleep(float(self.rng.uniform(0.2, 1.0)))
            users.over.set()
        else:
            self.done["server killed"] += 1
            self.server.kill()
            users.over.set()
            if self.rng.integers(2):  # else the next server opens it, with the workers at its heels
                self._look(f"kill {number}", workers)
            self.server.start()
        for thread in threads:
            thread.join()
        if users.client is not self.server.client:
            users.client.close()
        self.faults += [f"kill {number}: {each}" for each in users.faults]
        self._go_on(number)

    def _look(self, when: str, workers: list[psutil.Process]) -> None:
        self.done["looked at"] += 1
        self.done["worker still ending"] += any(each.is_running() for each in workers)
        self.faults += [f"{when}: {each}" for each in faults_of(self.folder, self.promised, workers)]

    def _wait_for_rebase(self) -> None:
        """Wait a while until the job that rebases is at work, if it is the next."""
        until = time.monotonic() + WAIT_S
        path = f"studies/{self.study}/jobs"
        while time.monotonic() < until:
            states = [ask(self.server.client, "GET", f"{path}/{job}")["state"] for job in (self.rebase, self.batch)]
            if states[0] not in ("queued", "done") or states[1] == "running":
                return
            time.sleep(0.05)

    def _go_on(self, number: int) -> None:
        """Resume what was interrupted, and begin another job if one is done; the batch makes way every second time."""
        client, path = self.server.client, f"studies/{self.study}/jobs"
        if ask(client, "GET", f"{path}/{self.batch}")["state"] == "done":
            self.batch = segment(client, self.study, self.own, "batch")
        if ask(client, "GET", f"{path}/{self.rebase}")["state"] == "done":
            self.rebase = segment(client, self.study, self.own[:1], CORRECTED)
        for state in ("interrupted", "failed"):
            for each in ask(client, "GET", path, params={"state": state}):
                if each["id"] != self.batch or number % 2 == 0:
                    ask(client, "POST", f"{path}/{each['id']}/resume")

    def compare(self) -> None:
        """Finish all jobs, and compare the batch with the one that nothing interrupted."""
        client, path = self.server.client, f"studies/{self.study}"
        for job in ask(client, "GET", f"{path}/jobs", params={"limit": 1000}):
            finish(client, self.study, job["id"], resume=True)
        while _left_out(ask(client, "GET", f"{path}/jobs/{self.batch}")):
            self.batch = segment(client, self.study, self.own, "batch")
            finish(client, self.study, self.batch)
        listed = ask(client, "GET", f"{path}/images", params={"limit": 1000})
        unread = [each for each in listed if each["state"] != "ready"]
        self.faults += [f"{each['id']} is {each['state']}: {each['reason']}" for each in unread]
        tables = tables_of(client, self.study, self.batch, self.own)
        for name, rows in self.truth.items():
            if tables.get(name) != rows:
                self.faults.append(f"the table {name} is not that of the batch without a kill")
        self.server.end()
        self._look("at last", [])
        with open_store(self.folder, read_only=True) as store:
            rebased = store.database.rows("SELECT act FROM edits WHERE operation = 'rebase'")
        self.done["corrected labels rebased"] = len(rebased)


def kill_again_and_again(home: Path, kills: int, images: int, seed: int) -> tuple[list[str], Counter[str]]:
    """Return what was lost, and what was done."""
    trial = Trial(Server(home), np.random.default_rng(seed), seed, images)
    try:
        trial.prepare()
        for number in range(1, kills + 1):
            trial.kill(number)
            told = f"{dict(trial.done)}, {len(trial.promised.edits)} edits, {len(trial.faults)} faults"
            sys.stdout.write(f"kill {number}: {told}\n")
            sys.stdout.flush()
        trial.compare()
    finally:
        trial.server.end()
    done, promised = trial.done, trial.promised
    done += Counter(edits=len(promised.edits), uploads=len(promised.uploads), said=len(promised.said))
    done["rows"] = sum(each.count(b"\n") + 1 for each in trial.truth.values())
    return trial.faults, done


def _wait_for(workers: list[psutil.Process]) -> None:
    """Wait until the workers of a killed server have finished their image, which they do by themselves."""
    _, alive = psutil.wait_procs(workers, timeout=120)
    if alive:
        raise AssertionError(f"{len(alive)} workers outlive their server.")


def main(words: list[str] | None = None) -> int:
    """Kill, look, and say what was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the studies lie; a temporary folder if left out")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place:
        home = asked.folder or Path(place)
        home.mkdir(parents=True, exist_ok=True)
        faults, done = kill_again_and_again(home, asked.kills, asked.images, asked.seed)
    for each in faults:
        sys.stdout.write(f"{each}\n")
    sys.stdout.write(f"{dict(done)}; {len(faults)} faults\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
