"""What may be chosen: ranges and choices, in a file and on the command line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.errors import ConfigError
from mlpcli.tuning.space import Dimension, check_space, choices_as_given, parse_space
from mlpcli.tuning.template import read_template

PATH = Path("t.yaml")
BASE = b"data: parity\nstructure: [10, 4, 2]\neta: 0.1\nbt_size: 8\nepochs: 2\n"


def option(text):
    """Return what one `--space` says."""
    (dimension,) = parse_space(b"eta: 1\n", PATH, [text])
    return dimension


@pytest.mark.parametrize(
    ("text", "low", "high", "log", "is_whole"),
    [
        ("eta=0.1..1", 0.1, 1, False, False),
        ("eta=log:1e-3..1", 1e-3, 1, True, False),
        ("epochs=10..20", 10, 20, False, True),
        ("hidden=log:16..256", 16, 256, True, True),
        ("dropout=0..0.5", 0, 0.5, False, False),
        ("eta=1..2", 1, 2, False, False),
        ("schedule.every=1..9", 1, 9, False, True),
    ],
)
def test_a_range_has_two_ends(text, low, high, log, is_whole):
    """LOW..HIGH is a range, by factors after log:, and whole where both ends are."""
    found = option(text)
    assert (found.low, found.high, found.log, found.is_whole) == (low, high, log, is_whole)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("activation=relu,tanh", ("relu", "tanh")),
        ("activation=[relu, tanh]", ("relu", "tanh")),
        ("structure=[10,3,2],[10,4,2]", ([10, 3, 2], [10, 4, 2])),
        ("members=[null, 4]", (None, 4)),
        ("nesterov=true,false", (True, False)),
    ],
)
def test_a_list_has_choices(text, choices):
    """Choices are a YAML list, whose brackets may be left out."""
    assert option(text).choices == choices


def test_an_option_replaces_what_the_file_says():
    """`--space` counts for its key, and `tune` in the file for the others."""
    content = b"tune:\n  eta: 0.1..1\n  hidden: 4..8\n"
    space = parse_space(content, PATH, ["eta=log:0.5..2"])
    assert [d.text for d in space] == ["log:0.5..2.0", "4..8"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("eta", "is not KEY=VALUES"),
        ("eta=", "is not KEY=VALUES"),
        ("eta=1..", "neither a range nor a list"),
        ("eta=2..1", "goes from 2 to 1; write the lower end first"),
        ("eta=a..b", "neither a range nor a list"),
        ("eta=1...inf", "neither a range nor a list"),
        ("eta=0.1", "neither a range nor a list"),
        ("eta=log:0..1", "logarithmic range from 0"),
        ("seed=0..9", "results would not compare"),
        ("validation=0.1,0.2", "results would not compare"),
        ("data.missing=mean,drop", "results would not compare"),
    ],
)
def test_what_is_no_space_is_refused(text, problem):
    """What is neither a range nor choices, or would change the examples, is an error."""
    with pytest.raises(ConfigError, match=problem):
        option(text)


def test_tune_that_is_no_mapping_is_refused_at_its_line():
    """The error names file and line."""
    with pytest.raises(ConfigError, match=r"^t.yaml:2: is 3, not ranges"):
        parse_space(b"eta: 1\ntune: 3\n", PATH, ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("eta=0..1", "eta"),
        ("activation=relu,rule", "must be"),
        ("lr=1..2", "is called eta here"),
        ("schedule.name=foo,cosine", "schedule must be constant"),
        ("structure=[10, 4, 2],[10, 4, 1]", "one neuron"),
    ],
)
def test_every_end_must_make_sense(text, problem):
    """A value that cannot be trained is found before the search, and `--space` is to blame."""
    template = read_template(BASE, PATH, ())
    with pytest.raises(ConfigError, match=r"^--space") as caught:
        check_space(template, (option(text),))
    assert problem in str(caught.value)


@given(st.booleans(), st.integers(1, 50), st.integers(1, 500))
def test_a_grid_spans_its_range(log, low, width):
    """A grid has both ends, at most five values in order, and whole ones of a whole range."""
    values = Dimension("hidden", "", low, low + width, log).grid()
    assert (values[0], values[-1]) == (low, low + width)
    assert list(values) == sorted(set(values))
    assert len(values) == min(5, width + 1) or (log and len(values) <= 5)
    assert all(type(value) is int for value in values)


def test_a_study_takes_lists_as_json():
    """What a study knows no type for stands there as JSON, and comes back as it was."""
    dimension = option("hidden=[[4], [4, 4], 8]")
    assert dimension.labels == ("[4]", "[4, 4]", 8)
    assert [dimension.value(label) for label in dimension.labels] == [[4], [4, 4], 8]


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("calibrate=true,false", False),
        ("schedule=cosine,constant", "constant"),
        ("dropout=0.2,none", "none"),
        ("dropout=[0.1,0.2],0", 0),
        ("weight_decay=1e-3,0", 0),
        ("class_weight=balanced,none", "none"),
        ("schedule={name: step, every: 2},{name: constant}", '{"name": "constant"}'),
    ],
)
def test_what_is_left_out_is_what_was_given(text, given):
    """A choice is the configuration's own, however it is written, as what is off by default."""
    key = text.partition("=")[0]
    template = read_template(BASE, PATH, ("validation=0.2",))
    assert choices_as_given(template, (option(text),)) == {key: given}


def test_what_changes_the_configuration_was_not_given():
    """Nothing is taken for its own that is something else."""
    assert choices_as_given(read_template(BASE, PATH, ()), (option("dropout=0.1,0.2"),)) == {}
