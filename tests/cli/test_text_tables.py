"""Tables: aligned and within 80 columns, whatever the classes are called."""

import numpy as np
import pytest

from mlpcli.cli import text_tables as tables

JAPANESE = [
    "りんご",
    "みかん",
    "ぶどう",
    "もも",
    "なし",
    "かき",
    "すいか",
    "いちご",
    "メロン",
    "バナナ",
]
LETTERS = [*"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"]
LONG = [f"a rather long name of the {i}th class, in words" for i in range(10)]
NAMES = {
    "2": ["odd", "even"],
    "10": LETTERS[:10],
    "62": LETTERS,
    "japanese": JAPANESE,
    "long": LONG,
    "long japanese": [name * 9 for name in JAPANESE],
    "62 japanese": [JAPANESE[i % 10] + JAPANESE[i // 10] for i in range(62)],
    "combining": ["e\u0301te\u0301", "ka\u3099"],
    "control": ["a\tb", "c\x1b[31md"],
}


def counts_for(names, high=400):
    """Return a confusion matrix with many entries of up to three digits, and no empty row."""
    counts = np.random.default_rng(0).integers(high, size=(len(names), len(names)))
    counts[counts % 3 == 0] = 0
    return counts + np.diag(np.arange(1, len(names) + 1))


def per_class(names):
    """Return metrics of every class; the last has no examples."""
    row = {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 12345}
    absent = {"precision": 0.0, "recall": None, "f1": 0.0, "support": 0}
    return {**dict.fromkeys(names, row), names[-1]: absent}


def test_definitions_go_on_below_themselves():
    """What is too long for a line goes on under its own beginning; a word too long is cut."""
    facts = {"one": "1", "three": " ".join(["words"] * 30), "path": "りんご" * 30}
    lines = tables.definitions(facts)
    assert lines[0] == "one    1"
    assert lines[1] == "three  " + " ".join(["words"] * 12)  # 5 + 2 + 12 · 6 - 1 are 78 columns
    assert lines[2:4] == ["       " + lines[1][7:], "       " + " ".join(["words"] * 6)]
    assert lines[4].startswith("path   りんご")
    assert lines[4].endswith("..")
    assert all(tables.display_width(line) <= tables.WIDTH for line in lines)


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("りんご", 6), ("ｱｲ", 2), ("e\u0301", 1), ("", 0), ("é", 1)]
)
def test_display_width(text, width):
    """Wide characters take two columns, half-width ones one, combining ones none."""
    assert tables.display_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcd.."), ("りんごりんご", 7, "りん.."),
        ("りんご", 6, "りんご"), ("a\nb\x1b", 9, "a?b?"),
    ],
)  # fmt: skip
def test_clip(text, width, expected):
    """A text is cut to so many columns, never through a character, and moves no cursor."""
    assert tables.truncate(text, width) == expected


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_tables_fit_80_columns_and_are_aligned(names):
    """Every table fits, and its last column of numbers ends where its heading ends."""
    counts = counts_for(names).tolist()
    metrics, confusion = tables.per_class(per_class(names)), tables.confusion(names, counts)
    for lines in (metrics, confusion):
        assert max(map(tables.display_width, lines)) <= 80
        assert all(line.isprintable() for line in lines)
    assert {tables.display_width(line) for line in metrics} == {tables.display_width(metrics[0])}
    body = [line for line in confusion[1:] if not line.startswith("and ")]
    assert len({tables.display_width(line) for line in body}) == 1


@pytest.mark.parametrize("kind", ["2", "10", "japanese"])
def test_a_matrix_that_fits_has_the_classes_names(kind):
    """Rows and columns are headed by names, and every count is there; no mistake is a dot."""
    names, counts = NAMES[kind], counts_for(NAMES[kind])
    _, heads, *rows = tables.confusion(names, counts.tolist())
    assert heads.split() == names
    shown = [["0" if cell == "." else cell for cell in row.split()] for row in rows]
    assert shown == [[name, *map(str, row)] for name, row in zip(names, counts, strict=True)]


def test_columns_are_numbered_where_names_are_too_long():
    """Long names stand at the rows alone, cut and numbered, and the columns have the numbers."""
    _, heads, *rows = tables.confusion(LONG, counts_for(LONG, 90).tolist())
    assert heads.split() == [*"0123456789"]
    assert [row.split()[0] for row in rows] == [*"0123456789"]


def test_largest_confusions_of_many_classes():
    """Of 62 classes the 20 largest confusions are listed, largest first, and the rest counted."""
    counts = counts_for(LETTERS)
    wrong = counts - np.diag(counts.diagonal())
    heading, heads, *rows, rest = tables.confusion(LETTERS, counts.tolist())
    assert (heading, heads.split()[-1]) == ("largest confusions (--json has all)", "share")
    assert [int(row.split()[2]) for row in rows] == sorted(wrong[wrong > 0])[::-1][:20]
    name, other, n, share = rows[0].split()
    i, j = LETTERS.index(name), LETTERS.index(other)
    assert (counts[i, j], f"{counts[i, j] / counts[i].sum():.4f}") == (int(n), share)
    listed = sum(int(row.split()[2]) for row in rows)
    assert rest == f"and {wrong.sum() - listed} examples in {(wrong > 0).sum() - 20} other pairs"


def test_no_confusion_of_many_classes():
    """Where nothing is wrong, one line says so."""
    assert tables.confusion(LETTERS, (1000 * np.eye(62, dtype=int)).tolist()) == [
        "no class was taken for another"
    ]


def test_confusion_of_many_classes(monkeypatch):
    """A matrix that cannot fit is not laid out: every name is looked at a few times."""
    looked = []
    width = tables.display_width
    monkeypatch.setattr(tables, "display_width", lambda text: looked.append(1) or width(text))
    names = [f"class {i}" for i in range(300)]
    counts = [[int(i == j or (i, j) == (3, 4)) for j in range(300)] for i in range(300)]
    lines = tables.confusion(names, counts)
    assert lines[0].startswith("largest confusions")
    assert len(looked) < 10 * len(names)
