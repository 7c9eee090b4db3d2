"""How a table is written: its encoding, its header, its numbers and dates."""

from itertools import islice
from pathlib import Path

from mlpcli.config.data_files import ROLES, USUAL_WORDS, ColumnRef, Files
from mlpcli.data.columns import HEADER_WORDS, find_columns, select_all
from mlpcli.data.guess.header import count_more_lines, names_columns
from mlpcli.data.guess.notation import are_grouped_by_points, guess_dates, guess_notation
from mlpcli.data.guess.record import Guess, shown_reference
from mlpcli.data.missing import mark_missing
from mlpcli.data.readers.cell_forms import common_form
from mlpcli.data.readers.charsets import likely_charset
from mlpcli.data.readers.csv import bad_lines, columns_with_text
from mlpcli.data.readers.csv_dialect import (
    CsvOptions,
    Dialect,
    csv_options,
    has_all_cells,
    split_line,
)
from mlpcli.data.readers.csv_sniff import looks_like_names, sniff
from mlpcli.data.readers.csv_start import SPACE
from mlpcli.data.readers.lines import read_lines
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.parquet import date_columns
from mlpcli.data.readers.read import csv_reader, read_files
from mlpcli.data.readers.source import Source
from mlpcli.data.readers.table import Table
from mlpcli.errors import DataError, UnitError, WidthError, join_names, one_line

# Lines that tell whether the first one names the columns.
SOME_LINES = 1000
# In so small a share of rows a word may stand for a missing value rather than for none of all.
FEW_GAPS = 0.05
# So small a share of lines may have another number of cells, or one beside so many that have not.
FEW_LINES, ENOUGH_LINES = 0.01, 10


def read_as_written(source: Source, guess: Guess) -> tuple[Table, Guess]:
    """Read all columns of a table, and find out how it is written.

    Raises:
        DataError: if it cannot be read.
        OSError: if it cannot be read.
    """
    if source.format == "table":
        guess = _decide_charset(source.path, guess)
        try:
            return _keep_none(source, *_read_lines(source, _decide_header(source.path, guess)))
        except WidthError as error:
            guess = _decide_header(source.path, _skip_bad_lines(source, guess, error))
    return _keep_none(source, *_read_lines(source, guess))


def _keep_none(source: Source, table: Table, guess: Guess) -> tuple[Table, Guess]:
    """Let `None` be a text, where it often stands among others: there is none of something."""
    found = []
    for j, marked in table.marked.items():
        often = sum(n for word, n in marked.items() if word.strip().lower() == "none")
        if j is None or not often:
            continue
        others = [table.texts[j][code] for code in table.codes(j)[:SOME_LINES]]
        form = common_form(others, 0.5)
        if form and form[0].kind == "date":
            # There it is missing, and so everywhere.
            return table, guess
        is_text = not form and None in map(parse_number, others)
        if is_text and often > FEW_GAPS * len(table.values):
            found.append(shown_reference(table.reference(j)))
    if not found:
        return table, guess
    usual = sorted(USUAL_WORDS - {"none"})
    missing = guess.files.missing_values.with_words(usual)._replace(only=True)
    finding = f"None is no missing value, but a text like the others in {join_names(found)}"
    finding += "; without missing_values it is missing"
    return _read_all(source, guess.because(finding, missing_values=missing))


def _read_lines(source: Source, guess: Guess) -> tuple[Table, Guess]:
    """Read numbers as they are written, if any is written otherwise than plainly."""
    guess = _with_typed_dates(source, guess)
    # A thousand written 1.000 looks like a plain number: as a text it tells more.
    grouped = _grouped_by_points(source, guess)
    categorical = guess.files.categorical
    files = guess.files._replace(categorical=(*categorical, *grouped))
    table, as_texts = _read_all(source, guess._replace(files=files))
    found = table.texts and guess_notation(
        table,
        _delimiter(source, guess),
        typed=source.format != "table",
        other=find_columns(categorical, table),
    )
    if not found:
        return _read_all(source, guess) if grouped else (table, as_texts)
    notation, findings = found
    files = as_texts.files._replace(categorical=categorical)
    files = files._replace(thousands=notation.thousands or None, units=notation.units)
    # Units, and what is between thousands, tell of a point that is the usual one.
    if not notation.units or notation.decimal != files.point:
        files = files._replace(decimal=notation.decimal)
    guess = as_texts._replace(files=files, findings=(*as_texts.findings, *findings))
    return _read_all(source, guess)


def _grouped_by_points(source: Source, guess: Guess) -> tuple[ColumnRef, ...]:
    """Return the columns whose numbers have points between thousands, by the first lines."""
    if source.format != "table":
        return ()
    dialect, rows = _some_rows(source.path, guess, csv_options(guess.files, HEADER_WORDS))
    columns = enumerate(zip(*rows, strict=False))
    found = [i for i, cells in columns if are_grouped_by_points(cells)]
    return tuple((dialect.names and dialect.names[i]) or i for i in found)


def _some_rows(path: Path, guess: Guess, options: CsvOptions) -> tuple[Dialect, list[list[str]]]:
    """Return how a table is written, and its first rows."""
    dialect, lines = sniff(read_lines(path, guess.files.encoding), path, options)
    if guess.files.bad_lines == "skip":
        lines = (line for line in lines if has_all_cells(line, dialect))
    return dialect, [split_line(line, dialect) for line in islice(lines, SOME_LINES)]


def _decide_charset(path: Path, guess: Guess) -> Guess:
    """Say in what a text is written that is not UTF-8."""
    charset = likely_charset(path)
    if not charset:
        return guess
    finding = f"encoding: {charset}, since it is not UTF-8 (encoding, under data, says otherwise)"
    return guess.because(finding, encoding=charset)


def _skip_bad_lines(source: Source, guess: Guess, error: WidthError) -> Guess:
    """Leave out the lines that have more or fewer cells than the first.

    Raises:
        WidthError: the same, if they are many, and not all below the table, as notes.
    """
    how = csv_reader(source, guess.files, HEADER_WORDS, new_names=False)
    bad, good = bad_lines(source.path, *how)
    are_notes = bool(good) and bad[0] > good[-1]
    are_few = len(bad) < max(FEW_LINES * len(good), 2)
    if not (are_few or are_notes) or len(good) < ENOUGH_LINES:
        raise error
    return guess._replace(files=guess.files._replace(bad_lines="skip"))


def _decide_header(path: Path, guess: Guess) -> Guess:
    """Find out whether the first line names the columns; say so, and write it if it is a surprise.

    Names that two columns have make a header only if it is declared.
    """
    declared = guess.files.header
    options = csv_options(guess.files._replace(header=False), HEADER_WORDS)
    dialect, rows = _some_rows(path, guess, options)
    guess = guess._replace(findings=(*guess.findings, *_what_is_written(dialect)))
    names = tuple(cell.strip() for cell in rows[0])
    expected = looks_like_names(names, HEADER_WORDS)
    named = names_columns(rows, expected) if declared is None else declared
    repeated = len({*filter(None, names)}) < len([*filter(None, names)])
    header = named if declared is not None or named != expected or (named and repeated) else None
    finding = "header: none, the first line is an example"
    if named:
        finding = "header: the first line names the columns"
        finding += "" if names[0] else ", but for the first, which has no name"
        finding += ", which are numbered where two have one name" if repeated else ""
    other = (
        "as the option says"
        if declared is not None
        else (f"--{'no-' if named else ''}header says otherwise")
    )
    guess = guess.because(f"{finding} ({other})", header=header)
    return _without_more_lines(rows[1:], guess) if named else guess


def _without_more_lines(rows: list[list[str]], guess: Guess) -> Guess:
    """Let what stands in lines below the names, such as units or questions, count as missing."""
    count = count_more_lines(rows)
    if not count:
        return guess
    found = dict.fromkeys(cell.strip() for row in rows[:count] for cell in row)
    words = [word for word in found if word and word.lower() not in USUAL_WORDS]
    shown = join_names([repr(one_line(word)[:30]) for word in words], 3)
    what = (
        f"{count} lines below the names are no examples"
        if count > 1
        else ("the line below the names is no example")
    )
    finding = f"{what}: {shown} count as missing"
    return guess.because(finding, missing_values=guess.files.missing_values.with_words(words))


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
        if isinstance(error, UnitError):
            guess = guess.because(f"read as text: {error.problem}")
        if source.format in ("table", "json") and not texts:
            how = csv_reader(source, files, HEADER_WORDS, new_names=False)
            found = sorted(columns_with_text(source.path, select_all(files), *how))
            return _read_all(source, guess, (*found, error.column))
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


def _delimiter(source: Source, guess: Guess) -> str:
    """Return what is between the cells of a table of text; a comma for others."""
    if source.format != "table":
        return ","
    lines = read_lines(source.path, guess.files.encoding)
    dialect, _ = sniff(lines, source.path, CsvOptions(header=False))
    return dialect.delimiter


def take_dates(
    source: Source, table: Table, targets: list[int], guess: Guess
) -> tuple[Table, Guess]:
    """Take columns of dates for such."""
    other = [*targets, *find_columns(guess.files.categorical, table)]
    day_first = guess.files.point == "," or _delimiter(source, guess) == ";"
    table, files, findings = guess_dates(table, guess.files, other, day_first)
    return table, guess._replace(files=files, findings=(*guess.findings, *findings))


def _read(source: Source, files: Files) -> Table:
    table = read_files(source, files, select_all(files), header_names=HEADER_WORDS)
    return mark_missing(table, files.missing_values)
