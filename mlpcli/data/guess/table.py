"""What the columns of a table are for: the target, features, and those that are none."""

import re
from collections.abc import Collection, Iterable, Iterator

import numpy as np

from mlpcli.data.columns import find_columns
from mlpcli.data.guess.looks import Look, has_letters_or_digits, look_at
from mlpcli.data.guess.record import Guess, decide_missing, shown_reference
from mlpcli.data.guess.written import read_as_written, take_dates
from mlpcli.data.label_cells import combination_in
from mlpcli.data.missing import mark_missing
from mlpcli.data.readers.csv_dialect import notation_of
from mlpcli.data.readers.source import Source
from mlpcli.data.readers.table import TARGET_NAMES, Table
from mlpcli.data.text_columns import unit_note
from mlpcli.errors import DataError, join_names

# The features of a column of text that take more than this, in float32, are too many.
MOST_BYTES = 1 << 30
# What stands in a last row that is none, of what a spreadsheet or a report adds up.
SUMMARIES = re.compile(
    "(grand )?totals?|sum|average|mean|summe|gesamt|gesamtsumme|insgesamt|durchschnitt|mittelwert|"
    "somme|moyenne|suma|promedio|totale|somma|media|totaal|gemiddelde|soma|média",
    re.IGNORECASE,
)


def guess_table(source: Source, guess: Guess, task: str | None) -> Guess:
    """Choose how to read a table, the columns with the targets, and those that are no features.

    Raises:
        DataError: if it cannot be read, no row has a target, or no column is left to learn from.
    """
    table, guess = read_as_written(source, guess)
    targets, guess = _decide_target(table, guess, task)
    # Words that a target made of numbers has, too, count as missing from here on.
    table = mark_missing(table, guess.files.missing_values)
    table, guess = take_dates(source, table, targets, guess)
    notation = notation_of(guess.files)
    looks = of_all_rows = look_at(table, notation)
    if (stand_ins := _decide_stand_ins(looks.values(), guess)) is not guess:
        guess, table = stand_ins, mark_missing(table, stand_ins.files.missing_values)
        looks = of_all_rows = look_at(table, notation)
    # An empty cell of labels is one without any.
    of_labels = guess.files.label_separator is not None
    lacking = np.any([~looks[i].is_given & (not of_labels) for i in targets], axis=0)
    if lacking.all():
        raise DataError(source.path, "no row has a target", "name another with --target")
    if lacking.any():
        names = " or ".join(looks[i].called for i in targets)
        finding = f"rows without {names} are left out: {int(lacking.sum())}"
        guess = guess.because(finding, missing_target="drop")
        # What is written in rows that are left out is read all the same.
        mixed = {i: column for i, column in looks.items() if column.is_mixed}
        looks = look_at(table.take(np.flatnonzero(~lacking)), notation) | mixed
    features = [column for i, column in looks.items() if i not in targets]
    guess = guess._replace(findings=(*guess.findings, *_summary_at_the_end(features)))
    asked_for = find_columns(guess.files.categorical, table)
    classes = {text for i in targets for text in looks[i].texts}
    for column in features:
        if column.is_mixed and column.position not in asked_for:
            guess = _decide_mixed(column, classes, guess)
    guess = _ignore(features, asked_for, guess)
    used = [of_all_rows[c.position] for c in features if c.reference not in guess.files.ignore]
    if not used:
        why = [text for text in guess.findings if text.startswith(("ignored", "read as text"))]
        problem = f"has no column to learn from ({'; '.join(why)})"
        raise DataError(source.path, problem, "give it one")
    words = {word for word in guess.files.missing_values.given if isinstance(word, str)}
    gaps = any(not column.is_given.all() or words & column.words.keys() for column in used)
    return decide_missing(gaps, guess)


def _summary_at_the_end(columns: list[Look]) -> Iterator[str]:
    """Yield what is to be said if the last row sums up the others."""
    for column in columns:
        if column.texts and column.is_given[-1]:
            last = int(np.searchsorted(column.different, column.values[-1]))
            word = column.texts[last].strip()
            if column.counts[last] == 1 and SUMMARIES.fullmatch(word.rstrip(":")):
                yield (
                    f"the last row ({column.called}: {word!r}) looks like a sum of the others, and "
                    "is learned from like them: delete it"
                )
                return


def _decide_target(table: Table, guess: Guess, task: str | None) -> tuple[list[int], Guess]:
    """Return the positions of the targets: the columns given, or the one that looks like it."""
    looks, given = look_at(table, notation_of(guess.files)), guess.files.target
    if given is not None:
        positions = find_columns(given if isinstance(given, tuple) else (given,), table)
        finding = ", ".join(looks[i].name or looks[i].called for i in positions)
        guess = guess.because(f"target: {finding}")
    else:
        column, how = _likely_target(table, looks)
        positions = [column.position]
        guess = guess.because(
            f"target: {column.name or column.called} ({how}; --target names another)",
            target=column.reference if column.name or not _is_last(column, table) else -1,
        )
    if len(positions) == 1 and (separator := _label_separator(looks[positions[0]], task)):
        finding = f"label_separator: {separator!r} is between labels, of which a cell has several"
        missing = any(table.position(j) == positions[0] for j in table.marked if j is not None)
        drop = "drop" if missing else None
        guess = guess.because(finding, label_separator=separator, missing_target=drop)
    for column in (looks[i] for i in positions):
        if column.is_numbers_but_words and task != "classification":
            finding = f"{column.called} has numbers, and {_shown(column)}, which count as missing"
            finding += "; --task classification makes classes of all"
            guess = _with_missing(guess, column.words, finding)
        elif (mark := _lone_mark(column)) and task is None:
            finding = f"{column.called} has {mark!r}, which counts as missing"
            finding += "; --task classification makes a class of it"
            guess = _with_missing(guess, [mark], finding)
    return positions, guess


def _decide_stand_ins(columns: Collection[Look], guess: Guess) -> Guess:
    """Let numbers such as -999 stand for missing ones, if no column has them as a value."""
    found: dict[float, list[Look]] = {}
    for column in columns:
        if (number := column.stand_in) is not None:
            found.setdefault(number, []).append(column)
    for number, those in found.items():
        others = [column for column in columns if not column.is_text and column not in those]
        if any(number in column.different for column in others):
            continue
        value = int(number) if number.is_integer() else number
        listed = join_names([f"{c.called} in {c.counts[0]} rows" for c in those])
        finding = f"{value} is far below all others, and counts as missing: {listed}"
        missing = guess.files.missing_values.with_words([value])
        guess = guess.because(finding, missing_values=missing)
    return guess


def _lone_mark(column: Look) -> str | None:
    """Return the one class without a letter or digit, such as a point, amid two or more others."""
    marks = [text for text in column.texts if not has_letters_or_digits(text)]
    return marks[0] if len(marks) == 1 and len(column.texts) > len(marks) + 1 else None


def _label_separator(column: Look, task: str | None) -> str | None:
    """Return what is between labels in the cells of a target; None where it has no labels."""
    if task is None:
        return column.label_separator
    found = combination_in(column.texts) if task == "multilabel" else None
    return found and found.separator


def _likely_target(table: Table, looks: dict[int, Look]) -> tuple[Look, str]:
    """Return the column that is learned if the user names none, and how it was found.

    Raises:
        DataError: if none can be learned.
    """
    names = {i: (column.name or "").lower() for i, column in looks.items()}
    named = [i for i, name in names.items() if name in TARGET_NAMES]
    if "x" in names.values():
        # Beside x, y is a place as well, unless it is the last.
        named = [i for i in named if names[i] != "y" or _is_last(looks[i], table)]
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
        return _with_missing(guess, column.words, f"{finding}; or list it under categorical")
    units = unit_note(column.texts)
    finding = f"{called} has {units or f'numbers, and texts such as {shown}'}"
    if column.is_names:
        remedy = "" if units else "; make all of them numbers to use it"
        ignore = (*guess.files.ignore, column.reference)
        return guess.because(f"ignored: {finding}{remedy}", ignore=ignore)
    categorical = (*guess.files.categorical, column.reference)
    remedy = "" if units else "; if texts stand for missing numbers, write them as missing_values"
    finding += f": {len(column.texts)} categories{remedy}"
    return guess.because(finding, categorical=categorical)


def _with_missing(guess: Guess, words: Iterable[str], finding: str) -> Guess:
    """Let words stand for missing values, for a reason."""
    return guess.because(finding, missing_values=guess.files.missing_values.with_words(words))


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
        finding = f"ignored: {join_names([*map(shown_reference, columns)], 20)} ({reason})"
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
    return "" if asked_for else _too_large(column)


def _too_large(column: Look) -> str:
    """Return why the categories of a column would take too much memory; "" if they do not."""
    size = 4 * len(column.values) * len(column.texts) if column.is_text else 0
    if size <= MOST_BYTES:
        return ""
    needed = f"{len(column.texts)} categories, features of {size / 1e9:.1f} GB in all"
    return f"{needed}; features only if taken out of ignore"
