"""Presets: they fill in what a configuration leaves open, and nothing else."""

import re
from pathlib import Path

import pytest
from conftest import CONFIGS
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.config.load import from_mapping, load_experiment
from mlpcli.config.presets import RECIPES, fill
from mlpcli.config.schema import KEYS, PRESETS, TASKS
from mlpcli.config.yaml_core import parse_value
from mlpcli.errors import ConfigError

FILES = "data: {train: t.csv, test: 0.2, target: y}\n"


def load(text, *overrides):
    """Write a configuration and load it."""
    Path("c.yaml").write_text(text, encoding="utf-8")
    return load_experiment(Path("c.yaml"), overrides)


def mistake(text, *overrides):
    """Return the error that a configuration gets."""
    with pytest.raises(ConfigError) as caught:
        load(text, *overrides)
    return str(caught.value)


def write_table(target):
    """Write a table whose target is a function of the row's number."""
    rows = [f"{i % 7},{'uvw'[i % 3]},{target(i)}\n" for i in range(60)]
    Path("t.csv").write_text("a,b,y\n" + "".join(rows))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("task", TASKS)
def test_a_preset_is_a_whole_configuration(name, task):
    """Beside the data a file needs nothing else, and values of every task go together."""
    found = load(f"{FILES}task: {task}\npreset: {name}\n")
    recipe = RECIPES[name]
    filled = recipe.common | recipe.by_task.get(task, {})
    plain = found.to_mapping()
    assert {key: plain.get(key) for key in filled if key != "schedule"} == {
        key: value for key, value in filled.items() if key != "schedule"
    }
    assert found.schedule.name == filled.get("schedule", "constant")
    assert found.data.scale == recipe.scale


def test_the_recipes_are_the_names():
    """What the key may be and what there is are the same."""
    assert tuple(RECIPES) == PRESETS


def test_images_are_those_of_the_shipped_configuration():
    """`preset: images` with MNIST is configs/mnist-best.yaml, key for key."""
    shipped = load_experiment(CONFIGS / "mnist-best.yaml").to_mapping()
    found = load("data: mnist\nstructure: [784, 1024, 512, 10]\npreset: images\n").to_mapping()
    assert found == shipped | {"preset": "images"}


VALUES = {
    "hidden": "[5]", "activation": "relu", "eta": "0.5", "bt_size": "3", "epochs": "2",
    "schedule": "cosine", "parametrization": "standard", "feature_scale": "false",
    "validation": "0.3", "label_smoothing": "0", "calibrate": "false",
    "optimizer": "adamw", "output": "sigmoid", "loss": "mse",
}  # fmt: skip


@given(st.sets(st.sampled_from(list(VALUES))), st.booleans())
def test_what_is_given_stands(names, by_override):
    """Any keys that the file or --set gives keep their values, and only the others are filled."""
    text = f"{FILES}preset: tabular\n"
    lines = [f"{name}: {VALUES[name]}" for name in sorted(names)]
    if by_override:
        found = load(text, *[line.replace(": ", "=") for line in lines])
    else:
        found = load(text + "\n".join(lines) + "\n")
    for name, value in found.to_mapping().items():
        if name in names and name != "schedule":
            assert value == parse_value(VALUES[name])
    assert {name for name in VALUES if not found.is_filled(name)} == names


def test_a_structure_stands_for_the_hidden_layers():
    """Where sizes are given as `structure`, the preset's `hidden` is left out."""
    found = load(f"{FILES}preset: tabular\nstructure: [3, 8, 2]\n")
    assert (found.structure, found.hidden) == ((3, 8, 2), None)
    assert found.eta == RECIPES["tabular"].common["eta"]


@pytest.mark.parametrize("scale", ["none", "standardize", "null"])
def test_the_scale_that_is_given_stands(scale):
    """A scale in `data` is kept, and null keeps the preset from giving one."""
    text = FILES.replace("}", f", scale: {scale}}}") + "preset: tabular\n"
    assert load(text).data.scale == (None if scale == "null" else scale)


def test_none_closes_a_key():
    """What is given as none is not filled in: it has its default."""
    found = load(f"{FILES}preset: tabular\nparametrization: none\n", "label_smoothing=none")
    assert (found.parametrization, found.label_smoothing, found.init) == (None, 0.0, "lecun")
    assert load(f"{FILES}hidden: [3]\neta: 1\nbt_size: 1\nepochs: 1\npreset: none\n").preset is None


@pytest.mark.parametrize(
    ("more", "overrides", "said"),
    [
        ("optimizer: rmsprop\nbeta1: 0.5\n", (),
         "c.yaml:4: beta1: is a setting of adam and adamw, but optimizer is rmsprop; remove it, or "
         "write optimizer: adam"),
        ("", ("momentum=0.9",),
         "--set momentum=0.9: momentum: is a setting of sgd, but optimizer is adam (from preset "
         "tabular); remove it, or write optimizer: sgd"),
        ("validation: none\n", (),
         "c.yaml:2: from preset tabular: calibrate: needs validation data; write calibrate: none"),
        ("loss: mae\ntask: classification\n", (),
         "c.yaml:3: loss: is mae, but output is softmax (from preset tabular); write loss: mse or "
         "cross_entropy"),
        ("compat: article\n", (),
         "c.yaml:2: from preset tabular: optimizer: adam contradicts compat: article, which "
         "means sgd; remove one of the two"),
        ("eta: fast\n", ("preset=images",),
         "c.yaml:3: eta: must be a number above 0, not 'fast'; write eta: 0.3"),
        ("", ("preset=tabula",),
         "--set preset=tabula: preset: must be tabular, article or images, not 'tabula'; write "
         "--set preset=tabular"),
        ("", ("preset=[1]",),
         "--set preset=[1]: preset: must be tabular, article or images, not [1]; write "
         "--set preset=tabular"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_names_its_origin(more, overrides, said):
    """Of two values that contradict each other, the one from the preset says so."""
    assert mistake(f"{FILES}preset: tabular\n{more}", *overrides) == said


def test_the_article_goes_with_its_compatibility():
    """`preset: article` contradicts nothing of `compat: article`."""
    found = load("data: mnist\npreset: article\ncompat: article\n")
    assert (found.init, found.hidden, found.data.scale) == ("normal", (32,), "none")


@pytest.mark.parametrize("target", [lambda i: ["no", "yes"][i % 2], lambda i: i * 1.7 % 13.1])
def test_the_checkpoint_holds_what_was_trained(run_mlp, target):
    """`mlp show --config` prints a file that trains the same bytes, keys that were closed, too.

    Whether a number is learned as a quantity is found out from the data, and so are the keys that
    depend on it.
    """
    write_table(target)
    text = f"{FILES}preset: tabular\nhidden: [4]\nepochs: 2\nfeature_scale: none\n"
    Path("c.yaml").write_text(text, encoding="utf-8")
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    shown = run_mlp("show", "c.npy", "--config").stdout
    activation = "selu" if target(0) == "no" else "mish"
    assert re.search(f"^activation: {activation}$", shown, re.MULTILINE)
    assert {"preset: tabular", "schedule: {name: cosine_log}", "feature_scale: null"} <= set(
        shown.splitlines()
    )
    Path("shown.yaml").write_text(shown, encoding="utf-8")
    run = run_mlp("train", "shown.yaml", "--verify", "c.npy", "-q")
    assert (run.returncode, run.stderr) == (0, "")


def test_a_checkpoint_is_not_filled_in(monkeypatch):
    """What a checkpoint says stands, whatever its preset has come to mean since."""
    saved = load(f"{FILES}preset: tabular\n").to_mapping()
    monkeypatch.setitem(
        RECIPES, "tabular", RECIPES["tabular"]._replace(common={"eta": 9.0, "ema": 0.9})
    )
    found = from_mapping(saved, {})
    assert (found.eta, found.ema) == (0.04, None)


def test_fill_changes_nothing_it_is_given():
    """The values and origins that are given stay as they are."""
    values, origins = {"data": "mnist", "preset": "tabular"}, {"preset": "c.yaml:2"}
    filled, whence = fill(values, origins, "classification")
    assert values == {"data": "mnist", "preset": "tabular"}
    assert origins == {"preset": "c.yaml:2"}
    assert filled["data"] == {"name": "mnist", "scale": "robust"}
    assert whence["data.scale"] == whence["eta"] == "c.yaml:2: from preset tabular"
    assert set(filled) <= set(KEYS)
