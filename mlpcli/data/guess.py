"""How to read a file so that it trains without further ado: found out, or else chosen and said."""

import statistics
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlpcli.config.data_files import ROLES, ColumnRef, Files, MissingValues, Target
from mlpcli.data.columns import HEADER_WORDS, find_column, select_all
from mlpcli.data.files import read_training
from mlpcli.data.forms import unit_note
from mlpcli.data.guess_forms import guess_dates, guess_notation
from mlpcli.data.header import names_columns
from mlpcli.data.looks import Look, look_at
from mlpcli.data.missing import mark_missing
from mlpcli.data.readers import images
from mlpcli.data.readers.charsets import likely_charset
from mlpcli.data.readers.csv import columns_with_text
from mlpcli.data.readers.csv_dialect import (
    CsvOptions,
    Dialect,
    csv_options,
    looks_like_names,
    notation_of,
    sniff,
    split_line,
)
from mlpcli.data.readers.csv_start import SPACE
from mlpcli.data.readers.lines import read_lines
from mlpcli.data.readers.npy import npz_names
from mlpcli.data.readers.parquet import date_columns
from mlpcli.data.readers.read import csv_reader, has_test, read_files
from mlpcli.data.readers.source import Source
from mlpcli.data.readers.table import TARGET_NAMES, Table, blocks
from mlpcli.errors import ConfigError, DataError, join_names, one_line

# Lines that tell whether the first one names the columns.
SOME_LINES = 1000
VALIDATION_FOLDERS = ("val", "valid", "validation")


class Wishes(NamedTuple):
    """What the user has said of the data."""

    target: Target | None = None
    task: str | None = None
    ignore: tuple[ColumnRef, ...] = ()
    categorical: tuple[ColumnRef, ...] = ()
    header: bool | None = None
    roles: Mapping[str, Any] = {}
    """By part of `data`, one of `ROLES`: the column that has it."""


class Guess(NamedTuple):
    """How a file is read, and what was found out or chosen."""

    files: Files
    findings: tuple[str, ...] = ()
    validation: str | None = None
    """A folder of images to choose the weights by."""

    def because(self, finding: str, **parts: Any) -> "Guess":
        """Return the guess with some parts of `data` otherwise, for a reason."""
        return self._replace(files=self.files._replace(**parts), findings=(*self.findings, finding))


def guess_files(source: Source, wishes: Wishes) -> Guess:
    """Find out how to read a file, or a folder of images.

    Raises:
        DataError: if it cannot be read, or there is nothing to learn.
        OSError: if it cannot be read.
    """
    files = Files(
        train=str(source.path),
        test=0.2,
        target=wishes.target,
        ignore=wishes.ignore,
        categorical=wishes.categorical,
        missing="mean",
        header=wishes.header,
        **wishes.roles,
    )
    if source.format in ("table", "json", "parquet"):
        roles = tuple(f"{part}: column {name}" for part, name in wishes.roles.items())
        return _guess_table(source, Guess(files, roles), wishes.task)
    given = {"ignore": wishes.ignore, "categorical": wishes.categorical, **wishes.roles}
    of_tables = [f"--{name}" for name, value in given.items() if value != ()]
    of_tables += [] if wishes.header is None else ["--header"]
    if of_tables:
        problem = f"{source.path} is no table, of which columns or a header could be told"
        raise ConfigError("mlp init", problem, f"leave out {' and '.join(of_tables)}")
    guess = _guess_folder if source.format == "folder" else _guess_array
    return guess(source, Guess(files))


def _guess_table(source: Source, guess: Guess, task: str | None) -> Guess:
    """Choose the header, the column with the targets, and those that are no features."""
    if source.format == "table":
        guess = _decide_header(source.path, _decide_charset(source.path, guess))
    table, guess = _decide_notation(source, *_read_all(source, _with_typed_dates(source, guess)))
    targets, guess = _decide_target(table, guess, task)
    # Words that a target made of numbers has, too, count as missing from here on.
    table = mark_missing(table, guess.files.missing_values)
    table, guess = _decide_dates(source, table, targets, guess)
    notation = notation_of(guess.files)
    looks = look_at(table, notation)
    lacking = np.any([~looks[i].is_given for i in targets], axis=0)
    if lacking.all():
        raise DataError(source.path, "no row has a target", "name another with --target")
    if lacking.any():
        names = " or ".join(looks[i].called for i in targets)
        finding = f"rows without {names} are left out: {int(lacking.sum())}"
        guess = guess.because(finding, missing_target="drop")
        looks = look_at(table.take(np.flatnonzero(~lacking)), notation)
    features = [column for i, column in looks.items() if i not in targets]
    asked_for = _positions(guess.files.categorical, table)
    classes = {text for i in targets for text in looks[i].texts}
    for column in features:
        if column.is_mixed and column.position not in asked_for:
            guess = _decide_mixed(column, classes, guess)
    guess = _ignore(features, asked_for, guess)
    used = [column for column in features if column.reference not in guess.files.ignore]
    if not used:
        raise DataError(source.path, "has no column to learn from", "give it one")
    words = {word for word in guess.files.missing_values.given if isinstance(word, str)}
    gaps = any(not column.is_given.all() or words & column.words.keys() for column in used)
    return _decide_missing(gaps, guess)


def _decide_charset(path: Path, guess: Guess) -> Guess:
    """Say in what a text is written that is not UTF-8."""
    charset = likely_charset(path)
    if not charset:
        return guess
    finding = f"encoding: {charset}, since it is not UTF-8 (encoding, under data, says otherwise)"
    return guess.because(finding, encoding=charset)


def _decide_header(path: Path, guess: Guess) -> Guess:
    """Find out whether the first line names the columns; say so, and write it if it is a surprise.

    Names that two columns have make a header only if it is declared.
    """
    declared = guess.files.header
    options = csv_options(guess.files._replace(header=False), HEADER_WORDS)
    dialect, lines = sniff(read_lines(path, guess.files.encoding), path, options)
    guess = guess._replace(findings=(*guess.findings, *_what_is_written(dialect)))
    rows = [split_line(line, dialect) for line in islice(lines, SOME_LINES)]
    names = tuple(cell.strip() for cell in rows[0])
    expected = looks_like_names(names, HEADER_WORDS)
    named = names_columns(rows, expected) if declared is None else declared
    repeated = len({*filter(None, names)}) < len([*filter(None, names)])
    header = named if declared is not None or named != expected or (named and repeated) else None
    finding = "header: none, the first line is an example"
    if named:
        finding = "header: the first line names the columns"
        finding += ", which are numbered where two have one name" if repeated else ""
    other = (
        "as the option says"
        if declared is not None
        else (f"--{'no-' if named else ''}header says otherwise")
    )
    return guess.because(f"{finding} ({other})", header=header)


def _what_is_written(dialect: Dialect) -> list[str]:
    """Return what stands above a table and between its cells, where that is not as usual."""
    findings = []
    if dialect.above:
        count = len(dialect.above)
        lines = "line" if count == 1 else f"{count} lines"
        shown = one_line(dialect.above[0].text)[:40]
        findings.append(f"left out: the {lines} above the table ({shown!r})")
    if dialect.delimiter in (SPACE, "|"):
        between = "spaces" if dialect.delimiter == SPACE else "|"
        findings.append(f"between cells: {between} (delimiter, under data, says otherwise)")
    return findings


def _read_all(
    source: Source, guess: Guess, texts: tuple[ColumnRef, ...] = ()
) -> tuple[Table, Guess]:
    """Read all columns as features: as texts where any cell is one, and not those unreadable."""
    files = guess.files._replace(categorical=(*guess.files.categorical, *texts))
    try:
        return _read(source, files), guess
    except DataError as error:
        if error.column is None:
            raise
        if source.format in ("table", "json"):
            how = csv_reader(source, files, HEADER_WORDS, new_names=False)
            text = tuple(sorted(columns_with_text(source.path, select_all(files), *how)))
            return _read(source, files._replace(categorical=text)), guess
        if error.column not in texts:
            return _read_all(source, guess, (*texts, error.column))
        if error.column == files.target:
            raise
        finding = f"ignored: {error.column} ({error.problem}; {error.remedy})"
        ignore = (*files.ignore, error.column)
        return _read_all(source, guess.because(finding, ignore=ignore), texts)


def _with_typed_dates(source: Source, guess: Guess) -> Guess:
    """List the columns whose type says that they are dates."""
    if source.format != "parquet":
        return guess
    others = [getattr(guess.files, part) for part in ROLES]
    dates = tuple(name for name in date_columns(source.path) if name not in others)
    return guess._replace(files=guess.files._replace(dates=dates))


def _delimiter(source: Source, charset: str | None) -> str:
    """Return what is between the cells of a table of text; a comma for others."""
    if source.format != "table":
        return ","
    lines = read_lines(source.path, charset)
    dialect, _ = sniff(lines, source.path, CsvOptions(header=False))
    return dialect.delimiter


def _decide_notation(source: Source, table: Table, guess: Guess) -> tuple[Table, Guess]:
    """Read numbers as they are written, if any is written otherwise than plainly."""
    if not table.texts:
        return table, guess
    delimiter = _delimiter(source, guess.files.encoding)
    if (found := guess_notation(table, delimiter, typed=source.format != "table")) is None:
        return table, guess
    notation, finding = found
    thousands = notation.thousands or None
    guess = guess.because(finding, decimal=notation.decimal, thousands=thousands)
    return _read_all(source, guess)


def _decide_dates(
    source: Source, table: Table, targets: list[int], guess: Guess
) -> tuple[Table, Guess]:
    """Take columns of dates for such."""
    other = [*targets, *_positions(guess.files.categorical, table)]
    day_first = guess.files.point == "," or _delimiter(source, guess.files.encoding) == ";"
    table, files, findings = guess_dates(table, guess.files, other, day_first)
    return table, guess._replace(files=files, findings=(*guess.findings, *findings))


def _read(source: Source, files: Files) -> Table:
    table = read_files(source, files, select_all(files), header_names=HEADER_WORDS)
    return mark_missing(table, files.missing_values)


def _decide_target(table: Table, guess: Guess, task: str | None) -> tuple[list[int], Guess]:
    """Return the positions of the targets: the columns given, or the one that looks like it."""
    looks, given = look_at(table, notation_of(guess.files)), guess.files.target
    if given is not None:
        positions = _positions(given if isinstance(given, tuple) else (given,), table)
        finding = ", ".join(looks[i].name or looks[i].called for i in positions)
        guess = guess.because(f"target: {finding}")
    else:
        column, how = _likely_target(table, looks)
        positions = [column.position]
        guess = guess.because(
            f"target: {column.name or column.called} ({how}; --target names another)",
            target=column.reference if column.name or not _is_last(column, table) else -1,
        )
    for column in (looks[i] for i in positions):
        if column.is_numbers_but_words and task != "classification":
            finding = f"{column.called} has numbers, and {_shown(column)}, which count as missing"
            finding += "; --task classification makes classes of all"
            guess = _with_missing(column, finding, guess)
    return positions, guess


def _positions(columns: tuple[ColumnRef, ...], table: Table) -> list[int]:
    width = table.selection.width if table.selection else table.values.shape[1]
    return [find_column(name, table.names, width, table.where) for name in columns]


def _likely_target(table: Table, looks: dict[int, Look]) -> tuple[Look, str]:
    """Return the column that is learned if the user names none, and how it was found.

    Raises:
        DataError: if none can be learned.
    """
    named = [i for i, column in looks.items() if (column.name or "").lower() in TARGET_NAMES]
    for i in (*named, *reversed(looks)):
        if looks[i].can_be_learned:
            if i in named:
                return looks[i], "by its name"
            last = _is_last(looks[i], table)
            return looks[i], "the last column" if last else "the last that can be learned"
    raise DataError(
        table.where,
        "has no column to learn: each is empty, the same in all rows or different in every row",
        "name one with --target",
    )


def _is_last(column: Look, table: Table) -> bool:
    return table.selection is not None and column.position == table.selection.width - 1


def _decide_mixed(column: Look, classes: set[str], guess: Guess) -> Guess:
    """Choose what becomes of a column of numbers and texts."""
    shown, called = _shown(column), column.called
    if column.is_numbers_but_words and not classes & column.words.keys():
        finding = f"{called} has numbers, and {shown}, which count as missing"
        return _with_missing(column, f"{finding}; or list it under categorical", guess)
    finding = f"{called} has numbers, and texts such as {shown}"
    if column.is_names:
        ignore = (*guess.files.ignore, column.reference)
        return guess.because(
            f"ignored: {finding}; make all of them numbers to use it", ignore=ignore
        )
    categorical = (*guess.files.categorical, column.reference)
    finding += f": {len(column.texts)} categories"
    return guess.because(
        f"{finding}; if texts stand for missing numbers, write them as missing_values",
        categorical=categorical,
    )


def _with_missing(column: Look, finding: str, guess: Guess) -> Guess:
    """Let the words of a column of numbers stand for missing values."""
    given = dict.fromkeys((*guess.files.missing_values.given, *column.words))
    return guess.because(finding, missing_values=MissingValues(tuple(given)))


def _shown(column: Look) -> str:
    words = [f"{word[:20]!r} in {n} row{'' if n == 1 else 's'}" for word, n in column.words.items()]
    return join_names(words, 3)


def _ignore(features: list[Look], asked_for: list[int], guess: Guess) -> Guess:
    """Ignore columns that tell rows apart and nothing else, and those without a value."""
    why = {
        column.reference: reason
        for column in features
        if not column.is_mixed and (reason := _no_feature(column, column.position in asked_for))
    }
    if len(why) == len(features):
        # Numbers of the rows are better than nothing.
        why = {c.reference: why[c.reference] for c in features if c.is_text or not c.given}
    for reason in dict.fromkeys(why.values()):
        columns = [name for name, given in why.items() if given == reason]
        finding = f"ignored: {join_names([*map(str, columns)], 20)} ({reason})"
        guess = guess.because(finding, ignore=(*guess.files.ignore, *columns))
    return guess


def _no_feature(column: Look, asked_for: bool) -> str:
    """Return why a column is no feature; "" if it is one."""
    if not column.given:
        return "no values"
    if column.is_text and len(column.texts) == 1 and column.is_given.all():
        return "the same in every row"
    names = column.is_text and column.are_all_different and bool(column.is_given.all())
    if (names or column.is_names) and not asked_for and (unit := unit_note(column.texts)):
        return unit
    if column.numbers_rows or (names and not asked_for):
        return "different in every row; features only if taken out of ignore"
    if column.is_names:
        return f"{len(column.texts)} different texts in {column.given} rows"
    return ""


def _decide_missing(gaps: bool, guess: Guess) -> Guess:
    """Let the mean stand for missing values, if there are any."""
    if gaps:
        return guess.because("missing values: the mean stands for them; drop leaves rows out")
    return guess._replace(files=guess.files._replace(missing="error"))


def _guess_array(source: Source, guess: Guess) -> Guess:
    """Find the labels of an array, and the test arrays of an archive."""
    if source.labels and guess.files.target is None:
        guess = guess._replace(files=guess.files._replace(target=str(source.labels.path)))
    if guess.files.target is not None:
        guess = guess.because(f"target: {guess.files.target}")
    if source.format == "npz" and has_test(npz_names(source.path)):
        finding = "test: the test arrays of the archive (a fraction sets examples aside instead)"
        guess = guess.because(finding, test=str(source.path))
    table = read_training(guess.files, source)
    if table.labels and (lacking := (table.labels.codes < 0).reshape(len(table.values), -1)).any():
        rows = int(lacking.any(axis=1).sum())
        finding = f"rows without a target are left out: {rows}"
        guess = guess.because(finding, missing_target="drop")
    values = table.values
    gaps = values.dtype.kind == "f" and any(np.isnan(part).any() for _, part in blocks(values))
    return _decide_missing(gaps, guess)


def _guess_folder(source: Source, guess: Guess) -> Guess:
    """Take `train`, `test` and `val` for what they say; choose size and colours of images."""
    path = source.path
    parts = images.class_folders(path)
    validation = next((name for name in VALIDATION_FOLDERS if name in parts), None)
    if "train" in parts and ("test" in parts or validation):
        guess = guess.because("train: the folder of that name", train=str(path / "train"))
        if "test" in parts:
            guess = guess.because("test: the folder of that name", test=str(path / "test"))
        if validation:
            finding = f"validation: the folder {validation}, which chooses the weights"
            guess = guess.because(finding)._replace(validation=str(path / validation))
    sizes, gray = images.survey(Path(guess.files.train))
    if len(set(sizes)) > 1:
        side = min(64, int(statistics.median(map(min, sizes))))
        finding = f"images of {len(set(sizes))} sizes: resized to {side}×{side}"
        guess = guess.because(finding, size=(side, side))
    if len(gray) > 1:
        guess = guess.because("gray and colour images: made gray", grayscale=True)
    return guess
