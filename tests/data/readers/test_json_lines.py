"""JSON lines, and arrays of JSON values, as tables."""

import gzip
import itertools
import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlpcli.checkpoint import store
from mlpcli.data.readers import json_lines
from mlpcli.data.readers.json_lines import flatten, json_values
from mlpcli.data.readers.source import detect_format
from mlpcli.errors import DataError

CELLS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
OBJECTS = st.lists(st.dictionaries(st.text(), CELLS), max_size=5)
KEYS = "structure: [3, 4, 2]\neta: 0.1\nbt_size: 8\nepochs: 2\nseed: 5\n"
ROWS = [
    {"colour": ["red", 'b,l"u\ne'][i % 3 == 0], "age": i % 7 if i % 5 else i / 3, "y": "ny"[i % 2]}
    for i in range(42)
]


def write(name, rows, **options):
    """Write rows as a file of JSON lines, or as one array where options of json.dumps are given."""
    text = json.dumps(rows, **options) if options else "".join(json.dumps(r) + "\n" for r in rows)
    content = text.encode()
    Path(name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def values(text, cuts=()):
    """Return the values of a text, which is cut into lines of any kind."""
    ends = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    parts = (text[a:b] for a, b in itertools.pairwise(ends))
    lines = itertools.chain.from_iterable(part.splitlines(keepends=True) for part in parts)
    return list(json_values(lines, "a"))


@given(OBJECTS, st.sampled_from([None, 0, 2]), st.lists(st.integers(0, 500), max_size=5))
@example([{"": "]"}, {"": "},{"}], None, [3])
def test_an_array_in_any_layout(objects, indent, cuts):
    """The elements of an array come out as they are, however it is laid out and cut."""
    text = json.dumps(objects, indent=indent)
    # What cuts lines elsewhere is an escape in JSON text.
    assert [value for _, value in values(text, cuts)] == objects


@given(st.lists(st.dictionaries(st.text(), CELLS) | st.lists(CELLS), max_size=5))
def test_lines(given_values):
    """The values of JSON lines come out with the numbers of their lines, blank ones counted."""
    text = "".join(json.dumps(value) + "\n\n" for value in given_values)
    if given_values and json_lines.ARRAY.match(text):
        return
    assert values(text) == [(1 + 2 * i, value) for i, value in enumerate(given_values)]


def test_lines_of_elements():
    """An element has the number of the line where it begins."""
    text = '\n[\n{"a": 1},\n\n{"a":\n2}, {"a": 3}\n,{"a": 4}]\n'
    assert [number for number, _ in values(text)] == [3, 5, 6, 7]


def test_an_endless_array_is_read_as_it_comes():
    """An element is there as soon as it is whole."""
    lines = itertools.chain(["[\n"], itertools.repeat('{"a": [1]},\n'))
    assert list(itertools.islice(json_values(lines, "a"), 3)) == [
        (number, {"a": [1]}) for number in (2, 3, 4)
    ]


def test_short_lines_of_a_long_element_are_not_tried_each(monkeypatch):
    """An element of many lines is tried when there is twice as much of it: in linear time."""
    tried = []
    decode = json_lines._decode
    monkeypatch.setattr(json_lines, "_decode", lambda *args: tried.append(args) or decode(*args))
    lines = ['[{"a": [\n', *["{},\n"] * 10_000]
    with pytest.raises(DataError, match="a:10001: is not JSON"):
        list(json_values(lines, "a"))
    assert len(tried) < 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": 1}\n{"a": 2}]', r"a:2: is not JSON \(, is missing\)"),
        ('[{"a": 1},\n{"a" 2}]', r"a:2: is not JSON \(Expecting ':' delimiter\)"),
        ('[\n{"a": 1},\n', r"a:2: is not JSON"),
        ('[{"a": 1}]\n{"a": 2}', r"a:2: is not JSON \(something stands behind the array\)"),
        ("[\n", r"a:1: is not JSON"),
        ('{"a": 1}\n{"a": 2', r"a:2: is not JSON"),
        ("[" * 100_000, "a:1: is not JSON"),
        ('[{"a": ' * 100_000, "a:1: is not JSON"),
    ],
)
def test_what_is_no_json(text, said):
    """A line or an element that is no JSON is named by its line."""
    with pytest.raises(DataError, match=said):
        values(text)


@pytest.mark.parametrize("text", ['{"a": "%s"}\n', '[{"a": "%s"}]\n'])
def test_what_is_too_long(monkeypatch, text):
    """A line or an element longer than a line of CSV may be is refused."""
    monkeypatch.setattr(json_lines, "LONGEST_LINE", 100)
    with pytest.raises(DataError, match="a:1: goes on for 100 characters"):
        values(text % ("x" * 200), range(0, 200, 50) if text[0] == "[" else ())


@pytest.fixture(scope="module")
def expected():
    """Return a list that receives the parameters of the network that CSV leads to."""
    return []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("t.csv", None), ("t.jsonl", {}), ("t.ndjson.gz", {}), ("t.txt", {}),
        ("t.json", {"indent": 1}), ("t.json", {"separators": (",", ":")}),
    ],
)  # fmt: skip
def test_the_same_network_as_from_csv(run_mlp, expected, name, options):
    """Each form of the same rows trains to the same parameters, and predicts the same."""
    if options is None:
        cells = ["colour,age,y\n", *('"{colour}",{age},{y}\n' for _ in ROWS)]
        quoted = [row | {"colour": row["colour"].replace('"', '""')} for row in ROWS]
        text = cells[0] + "".join(c.format(**row) for c, row in zip(cells[1:], quoted, strict=True))
        Path(name).write_text(text, encoding="utf-8")
    else:
        write(name, ROWS, **options)
    Path("c.yaml").write_text(f"data: {{train: {name}, test: 0.2}}\n{KEYS}", encoding="utf-8")
    run = run_mlp("train", "c.yaml", "-q")
    assert run.returncode == 0, run.stderr
    expected.append(store.load("c.npy").network.theta)
    np.testing.assert_array_equal(expected[-1], expected[0])
    whole = run_mlp("evaluate", "--weights", "c.npy", "--data", name, "--json")
    assert json.loads(whole.stdout)["examples"] == 42
    assert run_mlp("evaluate", "--weights", "c.npy", "--json").returncode == 0
    assert len(run_mlp("predict", "--weights", "c.npy", name).stdout.splitlines()) == 42


@pytest.mark.parametrize(
    ("head", "kind"),
    [('{"a": 1}', "json"), ('\ufeff\n [{"a"', "json"), ("[[1, 2]", "json"),
     ("[name],[size]", "table"), ("{x},{y}", "table")],
)  # fmt: skip
def test_told_by_content(head, kind):
    """JSON is told by how it begins; a header in brackets is none."""
    Path("t").write_text(head, encoding="utf-8")
    assert detect_format(Path("t")) == kind


def test_init_knows_them(run_mlp):
    """`mlp init` writes what trains."""
    write("t.jsonl", ROWS)
    assert run_mlp("init", "t.jsonl").returncode == 0
    assert run_mlp("train", "t.yaml", "-q", "--set", "epochs=1").returncode == 0


def test_null_and_absent_values_are_missing(run_mlp):
    """A name that is left out and null are missing values alike; later names are an error."""
    rows = [dict(row) for row in ROWS]
    rows[3]["age"] = None
    del rows[4]["age"]
    Path("c.yaml").write_text(f"data: {{train: t.jsonl, missing: drop}}\n{KEYS}", encoding="utf-8")
    write("t.jsonl", rows)
    assert "2 of 42 examples lack a value" in run_mlp("train", "c.yaml").stderr
    write("t.jsonl", [*rows, ROWS[0] | {"size": 3}])
    run = run_mlp("train", "c.yaml", "--overwrite")
    assert run.stderr == (
        "mlp: error: t.jsonl:43: 'size' was not in the first object; give it there, too, as null "
        "if need be\n"
    )
    run = run_mlp("predict", "--weights", "c.npy", "t.jsonl")
    assert (run.returncode, run.stderr[:10]) == (1, "mlp: error")
    write("p.jsonl", [ROWS[0], ROWS[1] | {"size": 3}])
    run = run_mlp("predict", "--weights", "c.npy", "p.jsonl")
    assert (run.returncode, len(run.stdout.splitlines()), run.stderr) == (0, 2, "")


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_on_standard_input(run_mlp, indent):
    """`mlp predict -` takes one array of objects, or of arrays; an empty one has no answers."""
    write("t.jsonl", ROWS)
    Path("c.yaml").write_text(f"data: {{train: t.jsonl}}\n{KEYS}", encoding="utf-8")
    run_mlp("train", "c.yaml", "-q")
    answers = run_mlp("predict", "--weights", "c.npy", "t.jsonl").stdout
    rows = [[row["colour"], row["age"]] for row in ROWS]
    for given_values in (ROWS, rows):
        text = json.dumps(given_values, indent=indent)
        run = run_mlp("predict", "--weights", "c.npy", "-", input=text)
        assert (run.stdout, run.stderr) == (answers, "")
    run = run_mlp("predict", "--weights", "c.npy", "-", input="[]")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": {"b": 1}}, "'a.b' was not in the first object; give it there"),
        ({"a": [1]}, "column a holds an array, not of texts without |; give a number, a text, "),
        ({"a": [{"b": "c"}]}, "null, or leave it out with jq -c 'del(.a)'"),
        ({"a": ["b|c"]}, "column a holds an array, not of texts without |; "),
        ({"a": 1, "o.p": 2}, "'o.p' is what two cells are called, or too long a name; name"),
        ({"o.p": 2, "a": 1}, "'o.p' is what two cells are called, or too long a name; name"),
        ({"a": {"b" * 1000: 1}}, f"'a.{'b' * 58}' is what two cells are called, or too long"),
    ],
)
def test_values_that_are_no_cells(run_mlp, value, said):
    """What is no column, or two, is named by its line."""
    value = value | {"o": {"p": 1}} if "a" in [*value][:1] else {"o": {"p": 1}} | value
    write("t.jsonl", [{"a": 1, "o": {"p": 1}, "y": "n"}, {**value, "y": "y"}])
    Path("c.yaml").write_text(f"data: {{train: t.jsonl}}\n{KEYS}", encoding="utf-8")
    run = run_mlp("train", "c.yaml")
    assert run.stderr.startswith("mlp: error: t.jsonl:2: ")
    assert said in run.stderr
    assert run.stderr.count("\n") == 1


def test_objects_in_objects_are_columns(run_mlp):
    """They train as the flat ones do, null for one is missing, and texts in arrays are labels."""
    tags = [[name for j, name in enumerate("abc") if i >> j & 1] for i in range(42)]
    flat = [
        {"colour": row["colour"], "who.age": row["age"], "who.y": row["y"], "tags": "|".join(tag)}
        for row, tag in zip(ROWS, tags, strict=True)
    ]
    nested = [
        {
            "colour": row["colour"],
            "who": {"age": row["age"], "y": row["y"]},
            "tags": tag,
        }
        for row, tag in zip(ROWS, tags, strict=True)
    ]
    data = "target: tags, label_separator: '|', missing: mean"
    models = []
    for name, rows in (("flat", flat), ("nested", nested)):
        write(f"{name}.jsonl", rows)
        text = f"data: {{train: {name}.jsonl, {data}}}\n{KEYS}".replace("[3, 4, 2]", "[5, 4, 3]")
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
        run = run_mlp("train", f"{name}.yaml", "-q")
        assert run.returncode == 0, run.stderr
        models.append(store.load(Path(f"{name}.npy")))
    np.testing.assert_array_equal(*(model.network.theta for model in models))
    write("p.jsonl", [{"who": None, "colour": "red", "tags": ["a"]}, nested[0]])
    run = run_mlp("predict", "--weights", "nested.npy", "p.jsonl")
    assert "who.age" in run.stderr
    write("p.jsonl", [nested[0], {"who": None, "colour": "red", "tags": ["a", "b"]}])
    run = run_mlp("predict", "--weights", "nested.npy", "p.jsonl", "--keep", "tags", "--json")
    assert [json.loads(line)["kept"]["tags"] for line in run.stdout.splitlines()] == ["", "a|b"]
    train = run_mlp("train", "nested.yaml", "--overwrite", "-q", "--set", "data.train=p.jsonl")
    assert "was not in the first object" not in train.stderr


def test_mappings_of_any_kind_are_flattened():
    """A program may hold objects in another kind of dict than JSON's."""
    assert flatten({"a": OrderedDict(b=1), "c": 2}, "rows", 0) == {"a.b": 1, "c": 2}
