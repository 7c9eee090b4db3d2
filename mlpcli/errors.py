"""What can go wrong, and the exit code each kind of failure has."""

import re
from collections.abc import Sequence
from typing import Any

# What moves a terminal's cursor, begins an escape sequence, breaks a line, turns the direction of
# writing round, or is no character.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return a text, which a file may have given, as one line that does nothing to a terminal.

    Control characters and line ends become escapes, and so do surrogates and bidi overrides.
    """
    return _UNPRINTABLE.sub(lambda c: c[0].encode("unicode_escape").decode(), text)


def json_line(value: Any) -> str:
    """Return a value as a line of JSON, in which letters stay and nothing is unprintable."""
    import json  # start-up is quick

    # Only within its texts can JSON have such characters: there an escape means the same.
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda c: f"\\u{ord(c[0]):04x}", text)


def one_line(text: str) -> str:
    """Return a text as one printable line, line ends and other white space as single spaces."""
    return printable(" ".join(text.split()))


class MlpError(Exception):
    """A failure that the user can act on, shown as one line without a traceback.

    Args:
        where: the file, line, key or option concerned.
        problem: what is wrong there.
        remedy: what to do about it.
    """

    exit_code = 1

    def __init__(self, where: object, problem: str, remedy: str) -> None:
        super().__init__(where, problem, remedy)
        self.where = where
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return one_line(f"{self.where}: {self.problem}; {self.remedy}")


def os_reason(error: OSError) -> str:
    """Return why the system refused something, for the middle of an error's line."""
    return (error.strerror or str(error)).lower()


def join_names(names: Sequence[str], most: int = 20) -> str:
    """Return names for a line, not too many."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return "did you mean X?" for a close name, or "" for none."""
    import difflib  # only when something goes wrong: start-up is quick

    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else ""


class ConfigError(MlpError):
    """A mistake in the experiment, its overrides or the command's options."""

    exit_code = 2


class DivergedError(MlpError):
    """Training whose error or parameters are no longer finite."""

    exit_code = 3


class MismatchError(MlpError):
    """A run that does not come out as the checkpoint it was compared with."""


class DataError(MlpError):
    """A dataset or an input that is missing, damaged or of another kind.

    Args:
        where, problem, remedy: as for every error.
        key: the KEY or KEY.PART of a configuration that asks for what is not there.
        column: the one concerned, as a configuration refers to it, where it is of a table.
    """

    def __init__(
        self,
        where: object,
        problem: str,
        remedy: str,
        key: str = "",
        column: str | int | None = None,
    ) -> None:
        super().__init__(where, problem, remedy)
        self.key = key
        self.column = column


class MissingDatasetError(DataError):
    """A dataset known by name that has not been downloaded.

    Args:
        where: the file that is missing.
        name: the dataset.
    """

    def __init__(self, where: object, name: str) -> None:
        super().__init__(where, "there is no such file", f"run mlp download {name}")
        self.name = name


class NotClassesError(DataError):
    """A target that is a quantity, where classes are to be learned."""


class AmbiguousDateError(DataError):
    """Dates of which none tells whether their day or their month is first."""


class UnitError(DataError):
    """A number in another unit than those before it in its column."""


class WidthError(DataError):
    """A line of a table that has more or fewer cells than the first."""


class CheckpointError(MlpError):
    """A checkpoint that cannot be read, or cannot hold what it should."""


class OutputError(MlpError):
    """A file that cannot be written, or that another run is writing."""


class DownloadError(MlpError):
    """A dataset that no mirror could deliver."""


class GateError(MlpError):
    """A model that misses a quality gate."""

    exit_code = 4


class Interrupted(BaseException):
    """A command that a signal ended, after it had saved its work.

    No failure, and no Exception, which a library might catch: the process ends as the signal says.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Killed(Interrupted):
    """A command that a second signal ended at once, amid whatever it did: there is no saving."""
