"""The one tree of errors: each says in a plain sentence what is wrong, with which file, and what to do.

::

    CellmetryError
    ├── InputError              (ValueError)         what was given cannot be used
    │   ├── MissingInput        (FileNotFoundError)  no such file, or no image in the folder
    │   ├── UnsupportedFormat                        no reader knows this content
    │   ├── DamagedFile                              the content starts well and then breaks
    │   ├── LimitExceeded                            decoding would pass a limit of `settings`
    │   ├── AxesError                                axes are ambiguous or contradict the shape
    │   ├── PixelSizeNeeded                          a value in µm was asked of an image without pixel size
    │   ├── LabelsError                              labels are negative, fractional or of another size
    │   └── ParameterError                           a parameter or a recipe is wrong
    │       └── UnknownName     (LookupError)        no engine, step, model … of this name
    ├── ModelError                                   weights missing, damaged, foreign or altered
    ├── MissingExtra            (ImportError)        an optional library is not installed
    ├── OutputError             (OSError)            results could not be written
    │   └── StudyBusy                                another program writes to the study at this moment
    ├── StudyInUse              (OSError)            another program changes the study, or it can only be read
    ├── EditConflict                                 somebody else changed the same place
    ├── NotAllowed              (PermissionError)    who asks lacks the right
    │   └── NotSignedIn                              who asks is not known
    └── Cancelled                                    the user stopped the work

`exit_code` and `http_status` of each class are the one table that the command line and the server read.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AxesError",
    "Cancelled",
    "CellmetryError",
    "DamagedFile",
    "EditConflict",
    "InputError",
    "LabelsError",
    "LimitExceeded",
    "MissingExtra",
    "MissingInput",
    "ModelError",
    "NotAllowed",
    "NotSignedIn",
    "OutputError",
    "ParameterError",
    "PixelSizeNeeded",
    "StudyBusy",
    "StudyInUse",
    "UnknownName",
    "UnsupportedFormat",
]


class CellmetryError(Exception):
    """Any failure that Cellmetry explains in words."""

    exit_code: ClassVar[int] = 2
    http_status: ClassVar[int] = 400


class InputError(CellmetryError, ValueError):
    """What was given cannot be used."""

    http_status = 422


class MissingInput(InputError, FileNotFoundError):
    """No such file, or a folder or pattern that holds no image."""

    http_status = 404


class UnsupportedFormat(InputError):
    """No reader knows the content of this file."""

    http_status = 415


class DamagedFile(InputError):
    """The file starts as it should and then breaks."""


class LimitExceeded(InputError):
    """Decoding would pass a limit of the settings (pixels, bytes, pages)."""

    http_status = 413


class AxesError(InputError):
    """The axes of an image are ambiguous, or the given ones do not fit its shape."""


class PixelSizeNeeded(InputError):
    """A parameter in µm was given for an image whose pixel size is unknown."""

    def __init__(self, parameter: str, name: str) -> None:
        super().__init__(
            f"{parameter} is in µm, but {name} does not state its pixel size; give it with --pixel-size "
            f"(µm per pixel), or use the parameter's form in pixels."
        )


class LabelsError(InputError):
    """A label image is negative, fractional, or of another size than its image."""


class ParameterError(InputError):
    """A parameter, a recipe or a combination of options is wrong."""


class UnknownName(ParameterError, LookupError):
    """No such engine, step, model, recipe or parameter; says the nearest right word if it is told those."""

    def __init__(self, kind: str, name: str, known: Iterable[str] | None = None) -> None:
        there = sorted(known or ())
        near = get_close_matches(name, there, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        told = "" if known is None else f" Known: {', '.join(there) or 'none'}."
        super().__init__(f"There is no {kind} {name!r}.{hint}{told}")


class ModelError(CellmetryError):
    """A model's weights are missing, damaged, foreign, or not what their card says."""

    http_status = 422


class MissingExtra(CellmetryError, ImportError):
    """An optional library is not installed; the message is the command that installs it."""

    http_status = 501

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an optional part; install it with: pip install 'cellmetry[{extra}]'")


class OutputError(CellmetryError, OSError):
    """Results could not be written; nothing half-written was left."""

    http_status = 507


class StudyBusy(OutputError):
    """Another program writes to the study at this moment: the same may go well a moment later."""

    http_status = 423


class StudyInUse(CellmetryError, OSError):
    """The study cannot be changed: another program has it open, or its folder can only be read."""

    http_status = 423


class EditConflict(CellmetryError):
    """Somebody else changed the same place since; nothing was changed, the edit is kept in the log."""

    http_status = 409

    def __init__(self, message: str, *, version: int, act: int | None = None) -> None:
        super().__init__(message)
        self.version, self.act = version, act


class NotAllowed(CellmetryError, PermissionError):
    """Who asks lacks the right."""

    http_status = 403


class NotSignedIn(NotAllowed):
    """Who asks is not known: no token, no session, or one that has ended."""

    http_status = 401


class Cancelled(CellmetryError):
    """The user stopped the work; finished images are kept."""

    exit_code = 130
    http_status = 409
