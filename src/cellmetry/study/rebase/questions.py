"""What a rebase could not decide: where, what stands there, and what the new model offers; and answering that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import EditConflict, ParameterError, UnknownName
from cellmetry.study.editing.operation import Change
from cellmetry.study.rebase.windows import pack, unpack
from cellmetry.study.store.acts import act
from cellmetry.study.store.committing import EditResult, commit, refuse
from cellmetry.study.store.conflicts import attempt
from cellmetry.study.store.edit_log import Made, history
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.names import new_name
from cellmetry.study.store.objects import find_object
from cellmetry.study.store.seen import seen_by

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

    from cellmetry.study.editing.operation import LabelView
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["Answer", "Question", "StoredQuestion", "add_question", "answer_question", "find_question", "questions_of"]

Answer = Literal["mine", "theirs"]
_TEXTS = {
    "deleted": "You deleted an object here; the new model sees something of another shape in its place.",
    "several": "You corrected one object here; the new model sees {n} in its place.",
}


class Question(NamedTuple):
    """A place where a human and the new model disagree and no rule decides.

    Parameters
    ----------
    id
        The human's object, or the one that they deleted.
    mine, theirs
        uint32 (Y, X) of the box: ids as they stand now, with the human's; and the new model's objects in question.
    """

    t: int
    z: int
    box: Box
    id: int
    kind: str
    mine: NDArray[np.uint32]
    theirs: NDArray[np.uint32]


@dataclass(frozen=True)
class StoredQuestion:
    """A question of a study.

    Parameters
    ----------
    text
        What a human is asked, in a sentence or two.
    answer, answered_by
        What was answered and by which act; None while it is open, also again after the answer was undone.
    """

    id: str
    labels_id: str
    text: str
    question: Question
    answer: Answer | None
    added_by: int
    answered_by: int | None


def add_question(store: Store, seq: int, labels_id: str, question: Question) -> str:
    """Return the id of a new question about labels; call it within the transaction of the act that raises it."""
    ids = [int(each) for each in np.unique(question.theirs) if each > 0]
    text = _TEXTS["deleted" if question.kind == "deleted" else "several"].format(n=len(ids))
    details = {
        **{name: getattr(question, name) for name in ("t", "z", "id", "kind")},
        "box": list(question.box),
        "theirs_ids": ids,
        "mine": pack(question.mine),
        "theirs": pack(question.theirs),
    }
    question_id = new_name("ask")
    with store.database.write() as connection:
        connection.execute(
            "INSERT INTO questions (id, labels_id, text, details, added_by) VALUES (?, ?, ?, ?, ?)",
            (question_id, labels_id, text, json.dumps(details), seq),
        )
    return question_id


def questions_of(store: Store, labels_id: str, *, answered: bool = False) -> list[StoredQuestion]:
    """Return the open questions about labels, in the order in which they came; all of them with `answered`."""
    rows = store.database.rows(
        "SELECT questions.*, (answered_by IN (SELECT seq FROM holding)) AS holds FROM questions "
        "WHERE labels_id = ? AND added_by IN (SELECT seq FROM holding) ORDER BY added_by, rowid",
        (labels_id,),
    )
    found = [_question_of(row) for row in rows]
    return [each for each in found if answered or each.answer is None]


def find_question(store: Store, question_id: str) -> StoredQuestion:
    """Return a question by its id.

    Raises
    ------
    UnknownName
        If there is none.
    """
    row = store.database.row(
        "SELECT questions.*, (answered_by IN (SELECT seq FROM holding)) AS holds FROM questions WHERE id = ?",
        (question_id,),
    )
    if row is None:
        raise UnknownName("question", question_id)
    return _question_of(row)


def answer_question(
    store: Store,
    actor: Actor,
    question_id: str,
    answer: Answer,
    *,
    base_version: int | None = None,
    session: str = "",
) -> EditResult:
    """Return what changed by answering a question; undoing the act of the answer opens it again.

    ``mine`` leaves the labels as they are. ``theirs`` puts the new model's objects in the place of the human's, apart
    from pixels where another object is by now.

    Parameters
    ----------
    base_version
        Version that who answers saw; the present one if left out.
    session
        Name of their window or program: what they did there since `base_version` is known to them.

    Raises
    ------
    UnknownName
        If there is no such question.
    ParameterError
        If it is answered already, or the answer is another word.
    EditConflict
        If others changed the place since `base_version`, newer labels took the place of these, or the answer is
        ``theirs`` and the object was changed since the question was asked.
    """
    store.must_be_writable()
    if answer not in ("mine", "theirs"):
        raise ParameterError(f"The answer must be mine or theirs, not {answer!r}.")
    with store.database.write() as connection:
        found = find_question(store, question_id)
        if found.answer is not None:
            raise ParameterError(f"The question is answered already ({found.answer}); undo that answer first.")
        labels = label_set(store, found.labels_id)
        seen = seen_by(actor, labels, base_version, session)
        said = {"question": question_id, "answer": answer}
        made = Made("answer", said, seen.version, session, "the new model's answer to a question", labels.next_id)
        tried = attempt(store, labels, seen, lambda view: _changes(view, found.question, answer))
        if tried.conflict is None:
            if answer == "theirs":
                _must_be_as_asked(store, labels, found)
            result = commit(store, actor, labels, [tried.patches] if tried.patches else [], made)
            seq = result.act
            if seq is None:
                summary = f"answer to a question about {labels.name}: {answer}"
                seq = act(store, actor, "answer", summary, labels=labels.id, question=question_id)
            connection.execute(
                "UPDATE questions SET answer = ?, answered_by = ? WHERE id = ?", (answer, seq, question_id)
            )
            return result
    raise refuse(store, actor, labels, made, tried.conflict)


def _changes(view: LabelView, asked: Question, answer: Answer) -> list[Change]:
    """Return what an answer does to labels."""
    if answer == "mine":
        return []
    now = view.read(asked.t, asked.z, asked.box)
    cleared = np.where(now == asked.id, np.uint32(0), now)
    return [Change(asked.t, asked.z, asked.box, np.where((asked.theirs > 0) & (cleared == 0), asked.theirs, cleared))]


def _must_be_as_asked(store: Store, labels: LabelSet, found: StoredQuestion) -> None:
    """Refuse to put another object in the place of one that was corrected further since the question was asked."""
    asked = found.question
    now = read_window(store, labels, asked.t, asked.z, asked.box)
    whole = find_object(store, labels, asked.id, asked.t, asked.z)
    outside = 0 if whole is None else whole.area_px - int(np.count_nonzero(now == asked.id))
    if not outside and np.array_equal(now == asked.id, asked.mine == asked.id):
        return
    changed = (each for each in history(store, labels.id, limit=1000) if each.version is not None)
    last = next((each.act for each in changed if asked.id in each.ids), None)
    by = "" if last is None else f" by {last.who} ({last.summary}, act {last.seq})"
    raise EditConflict(
        f"Object {asked.id} was changed{by} since this was asked; answer mine, which leaves it as it is, or undo that.",
        version=labels.version,
        act=found.added_by if last is None else last.seq,
    )


def _question_of(row: sqlite3.Row) -> StoredQuestion:
    said: dict[str, Any] = json.loads(row["details"])
    box = Box(*said["box"])
    question = Question(
        said["t"],
        said["z"],
        box,
        said["id"],
        said["kind"],
        unpack(said["mine"], box),
        unpack(said["theirs"], box),
    )
    answer = row["answer"] if row["holds"] else None
    by = row["answered_by"] if row["holds"] else None
    return StoredQuestion(row["id"], row["labels_id"], row["text"], question, answer, row["added_by"], by)
