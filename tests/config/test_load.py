"""The YAML experiment: what is read, and what each mistake is answered with."""

import json
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import CONFIGS
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.config.data_files import Files
from mlpcli.config.load import SYNONYMS, from_mapping, load_experiment
from mlpcli.config.schema import KEYS, Experiment
from mlpcli.config.values import DataSource
from mlpcli.errors import ConfigError

GOOD = {
    "data": "parity", "structure": "[10, 3, 2]", "eta": "0.3", "bt_size": "8", "epochs": "1000",
}  # fmt: skip
LINES = {name: i for i, name in enumerate(GOOD, 1)}
NEXT = len(GOOD) + 1


def config(*more, **changed):
    """Return the text of a config with values changed, keys left out (None), and lines added."""
    lines = [f"{name}: {value}" for name, value in (GOOD | changed).items() if value is not None]
    return "\n".join([*lines, *more]) + "\n"


def load(text):
    """Write a config and load it."""
    path = Path("c.yaml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_experiment(path)


def mistake(text):
    """Return the error that a config gets: one line, exit code 2."""
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 320
    return message


# --- What is read


def test_defaults():
    """The five needed keys are enough; the rest have the defaults that configs/README.md gives."""
    experiment = load(config())
    assert experiment == Experiment(
        data=DataSource("parity", None), structure=(10, 3, 2), eta=0.3, bt_size=8, epochs=1000,
        seed=0, init="lecun", dtype="float32", compat=None,
    )  # fmt: skip


def test_the_article():
    """`compat: article` decides initialisation, precision and scaling; saying the same is fine."""
    experiment = load(config("compat: article"))
    assert (experiment.init, experiment.dtype, experiment.data.scale) == (
        "normal", "float64", "none",
    )  # fmt: skip
    same = config("compat: article", "init: normal", "dtype: float64")
    assert load(same.replace("data: parity", "data: {name: parity, scale: none}")) == experiment


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_configs_load(path):
    """Every config that comes with mlp is right."""
    assert load_experiment(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("1E3", 1000.0), ("1.", 1.0), (".5", 0.5), ("+.5e1", 5.0), ("1", 1.0),
        ("010", 10.0), ("0o17", 15.0), ("0x1f", 31.0), ("+3", 3.0), ("1e0", 1.0),
    ],
)  # fmt: skip
def test_numbers_of_the_core_schema(text, value):
    """YAML 1.2's core schema, §10.3.2: 1e-3 is a number, 010 is ten, 0o17 is octal."""
    assert load(config(eta=text)).eta == value


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "on", "off", "y", "10:30", "1_000", "0b11", "0o8", "0x", "1e", "2001-01-01",
     "'1'", "-0x1f", "nan", "inf", "=", "<<"],
)  # fmt: skip
def test_strings_of_the_core_schema(text):
    """What YAML 1.1 took for booleans, dates, or numbers in base 60 is a string."""
    value = text.strip("'")
    assert mistake(config(eta=text)) == (
        f"c.yaml:3: eta: must be a number above 0, not {value!r}; write eta: 0.3"
    )


def test_a_dataset_may_be_called_no():
    """Words that YAML 1.1 took for booleans can be names."""
    assert load(config(data="no")).data == DataSource("no")


def test_block_style_and_utf8():
    """Any style of YAML is the same experiment, and so is a file with a byte order mark."""
    text = """\
        # 偶数
        {"data": {name: parity},
         structure: &s
           [10, 3, 2], eta: !!float 3e-1, bt_size: 8,
         epochs: 1000}
        """
    assert load(textwrap.dedent(text)) == load(config())
    assert load("\ufeff" + config()) == load(config())


@given(
    st.builds(
        Experiment,
        data=st.builds(
            DataSource, st.text(min_size=1), st.sampled_from([None, "unit", "none"]), st.none()
        ),
        structure=st.lists(st.integers(1, 10**6), min_size=2).map(lambda s: (*s[:-1], s[-1] + 1)),
        eta=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
        bt_size=st.integers(1, 2**63 - 1),
        epochs=st.integers(1, 2**63 - 1),
        seed=st.integers(0, 2**32 - 1),
        init=st.sampled_from(["lecun", "normal"]),
        dtype=st.sampled_from(["float32", "float64"]),
    )
)  # fmt: skip
def test_round_trip(experiment):
    """An experiment survives its way through plain values, as a checkpoint holds it."""
    mapping = json.loads(json.dumps(experiment.to_mapping()))
    assert from_mapping(mapping, {}) == experiment


def test_round_trip_of_the_article():
    """What `compat: article` decided does not contradict it afterwards."""
    experiment = load(config("compat: article"))
    assert from_mapping(experiment.to_mapping(), {}) == experiment


def test_reading_needs_no_numpy():
    """Every module of the configuration is imported, and an experiment read, without NumPy."""
    script = f"""
import pkgutil, sys
from importlib import import_module
from pathlib import Path
import mlpcli.config
for module in pkgutil.iter_modules(mlpcli.config.__path__):
    import_module(f"mlpcli.config.{{module.name}}")
from mlpcli.config.load import load_experiment
print(load_experiment(Path({str(CONFIGS / "parity.yaml")!r})).compat, "numpy" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout == "article False\n"


# --- Mistakes in values


@pytest.mark.parametrize(
    ("name", "expects", "values"),
    [
        ("data", "a dataset's name, {name: NAME, scale: SCALE} or {train: FILE, ...}",
         ["3", "true", "[a]", "{}", "{scale: unit}", '""', ""]),
        ("structure", "a list of two or more layer sizes, each a whole number from 1",
         ["10", "[]", "[10]", "[10, 0]", "[10, -1, 2]", "[10, 2.0]", "[10, true]", "[10, [3], 2]",
          "10, 3, 2", "{a: 1}", "[10, ~, 2]", f"[10, {2**63}, 2]"]),
        ("eta", "a number above 0",
         ["0", "-0.1", "0.0", ".nan", ".inf", "-.inf", "1e999", "true", "[0.3]", "a", "", "~",
          "1" + "0" * 400]),
        ("bt_size", "a whole number from 1",
         ["0", "-1", "8.0", "1e3", "true", "false", '"8"', ".inf", f"{2**63}", "0x" + "f" * 4000]),
        ("epochs", "a whole number from 1", ["0", "2.5", "true", "many", "[1]"]),
        ("seed", "a whole number from 0 to 4294967295", ["-1", f"{2**32}", "0.0", "true"]),
        ("init", "normal, glorot, he or lecun", ["xavier", "1", "true", "[normal]"]),
        ("dtype", "float32 or float64", ["float16", "32", "float"]),
        ("activation", "sigmoid, tanh, relu, leaky_relu, gelu, selu or mish, or a list of these, "
         "one per hidden layer", ["ReLU", "softmax", "1", "[relu, 1]", "{relu: 1}"]),
        ("output", "sigmoid, softmax or linear", ["relu", "tanh"]),
        ("loss", "mse, cross_entropy, mae or huber", ["log_loss", "MSE"]),
        ("optimizer", "sgd, adam, adamw or rmsprop", ["SGD", "lbfgs"]),
        ("momentum", "a number above 0 and below 1", ["0", "1", "1.5", "true"]),
        ("nesterov", "true or false", ["yes", "1", "no"]),
        ("beta1", "a number from 0 and below 1", ["-0.1", "1"]),
        ("epsilon", "a number above 0", ["0", "-1e-8"]),
        ("weight_decay", "a number from 0", ["-1e-4", "small"]),
        ("clip_norm", "a number above 0", ["0", ".inf"]),
        ("schedule", "constant, step, exponential, cosine, cosine_log, one_cycle or plateau, or "
         "{name: NAME, SETTING: VALUE}",
         ["linear", "[step]", "{every: 2}", "{name: linear}"]),
        ("warmup", "a number from 0", ["-1", "one"]),
        ("dropout", "a number from 0 and below 1, or a list of these, for the inputs and each "
         "hidden layer", ["1", "-0.1", "[0.1, 1.0]", "half"]),
        ("label_smoothing", "a number from 0 and below 1", ["1", "-0.1"]),
        ("augment", "a mapping of shift, rotate, scale, shear, elastic and fill",
         ["1", "{}", "{fill: edge}", "[shift]"]),
        ("validation", "a number above 0 and below 1, or a file where data are files",
         ["0", "1", "10", "true"]),
        ("monitor", "error or accuracy", ["loss"]),
        ("patience", "a whole number from 1", ["0", "1.5"]),
        ("min_delta", "a number from 0", ["-0.1"]),
        ("class_weight", "balanced, or a mapping of class names to numbers above 0",
         ["even", "{}", "[1, 2]"]),
        ("compat", "article", ["true", "Article", "{}"]),
    ],
)  # fmt: skip
def test_wrong_values(name, expects, values):
    """A value of another type or out of range is answered with line, key, range and an example."""
    for value in values:
        line = LINES.get(name, NEXT)
        more = [] if name in GOOD else [f"{name}: {value}"]
        said = mistake(config(*more, **({name: value} if name in GOOD else {})))
        assert said.startswith(f"c.yaml:{line}: {name}: must be {expects}, not ")
        assert said.endswith(f"; write {name}: {KEYS[name].metadata['example']}")


@pytest.mark.parametrize(
    ("key", "before", "part", "value", "problem"),
    [
        ("data", "name: a", "scale", "half",
         "must be unit, standardize, robust or none, not 'half'"),
        ("data", "name: a", "scale", "true", "must be unit, standardize, robust or none, not true"),
        ("data", "name: a", "sclae", "none", "there is no such part; the parts are name, scale"),
        ("data", "scale: none", "name", "{name: a}", "must be a name, not {'name': 'a'}"),
        ("data", "train: a", "ignore", "3.5",
         "must be a list of column names or positions from 0, not 3.5"),
        ("data", "train: a", "test", "1.5",
         "must be a file, a folder, or a fraction between 0 and 1, not 1.5"),
        ("data", "train: a", "colour", "1", "there is no such part; the parts are train, test, "),
        ("data", "train: a", "3", "1", "there is no such part; the parts are train, test, "),
        ("schedule", "name: step", "every", "0", "must be a whole number from 1, not 0"),
        ("schedule", "name: step", "evry", "2",
         "there is no such part; the parts are name, every, factor"),
        ("schedule", "name: cosine", "factor", "0.5", "there is no such part; the parts are name"),
        ("augment", "shift: 1", "turn", "1", "there is no such part; the parts are shift, "),
        ("augment", "shift: 1", "rotate", "181", "must be a number above 0 and at most 180, not 1"),
        ("augment", "shift: 1", "scale", "1", "must be a number above 0 and below 1, not 1"),
        ("augment", "shift: 1", "shear", "-1", "must be a number above 0 and at most 1, not -1"),
        ("augment", "shift: 1", "fill", "255", "must be zero or edge, not 255"),
        ("augment", "shift: 1", "elastic", "9", "must be a mapping of sigma, alpha, not 9"),
        ("class_weight", "even: 1", "odd", "0", "must be a number above 0, not 0"),
        ("class_weight", "even: 1", "3", "1" + "0" * 400, "must be a number above 0, not 1000"),
    ],
)  # fmt: skip
def test_wrong_parts(key, before, part, value, problem):
    """A mistake in a part of a mapping is answered with the line and the name of the part."""
    lines = [f"{key}:", f"  {before}", f"  {part}: {value}"]
    said = mistake(config(*lines, data="mnist" if key != "data" else None))
    line = NEXT + 2 - (key == "data")
    assert said.startswith(f"c.yaml:{line}: {key}.{part}: {problem}")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("true", "true"), ("1", "1"), ("a", "'a'"), ("[1, a]", "[1, 'a']"),
     ("a" * 99, "...")],
)  # fmt: skip
def test_the_wrong_value_is_shown(value, shown):
    """The error repeats the value, as YAML spells it, and shortens a long one."""
    assert shown in mistake(config(f"init: {value}")).partition(", not ")[2]
    assert (
        mistake(config(eta=""))
        == "c.yaml:3: eta: must be a number above 0, not null; write eta: 0.3"
    )


def test_aliases_that_multiply():
    """Ten lines that stand for 10**9 numbers are refused at once."""
    lines = ["- &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"- &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    said = mistake(config("structure:", *lines, structure=None))
    assert said.startswith("c.yaml:5: structure: must be a list")
    part = config("data:", "  train: a", "  test:", *["  " + line for line in lines], data=None)
    assert mistake(part).startswith("c.yaml:7: data.test: must be a file, a folder")


def test_one_output_neuron():
    """A network that ends in one neuron is told to use two."""
    assert mistake(config(structure="[10, 3, 1]")) == (
        "c.yaml:2: structure: the output layer has one neuron, but there must be one per class; "
        "use two for a yes-or-no question: end the list with 2"
    )


@pytest.mark.parametrize(
    ("more", "changed", "said"),
    [
        (["init: lecun"], {}, "7: init: lecun contradicts compat: article, which means normal"),
        (
            ["dtype: float32"],
            {},
            "7: dtype: float32 contradicts compat: article, which means float64",
        ),
        (
            [],
            {"data": "{name: mnist, scale: unit}"},
            "1: data.scale: unit contradicts compat: article, which means none",
        ),
    ],
    ids=["init", "dtype", "scale"],
)
def test_contradictions_of_the_article(more, changed, said):
    """A key that `compat: article` decides otherwise is a contradiction, even at its default."""
    text = config("compat: article", *more, **changed)
    assert mistake(text) == f"c.yaml:{said}; remove one of the two"


# --- Mistakes in keys


@pytest.mark.parametrize("name", GOOD)
def test_missing_key(name):
    """A missing key is named, with a line to add."""
    also = ", or hidden: [32]" if name == "structure" else ""
    assert mistake(config(**{name: None})) == (
        f"c.yaml: key {name} is missing; add a line such as {name}: "
        f"{KEYS[name].metadata['example']}{also}"
    )


def test_structure_and_hidden():
    """Sizes are given once, by one of two keys."""
    assert mistake(config("hidden: [3]")) == (
        f"c.yaml:{NEXT}: hidden: stands for structure, which is given, too; remove one of the two"
    )
    experiment = load(
        config("hidden: [3, 4]", "dropout: 0.5", "activation: [relu, tanh]", structure="none")
    )
    assert (experiment.structure, experiment.hidden) == (None, (3, 4))
    assert experiment.dropout_rates == (0.0, 0.5, 0.5)
    said = mistake(config("hidden: [3, 4]", "activation: [relu]", structure=None))
    assert "names 1 activations, but there are 2 hidden layers" in said


@pytest.mark.parametrize("none", ["none", "null", "~", ""])
def test_none_is_not_given(none):
    """Every optional key may be given as none, in the file or by --set: it has its default then."""
    optional = [name for name in KEYS if name not in GOOD]
    assert load(config(*[f"{name}: {none}" for name in optional])) == load(config())
    Path("c.yaml").write_text(config("validation: 0.1", "patience: 3"), encoding="utf-8")
    found = load_experiment(Path("c.yaml"), [f"validation={none}", f"patience={none}"])
    assert (found.validation, found.patience) == (None, None)


def test_none_is_no_part_of_data():
    """Parts of data that are null are not given; none is not either, where it cannot be a name."""
    lines = ["data:", "  train: a.csv", "  test: none", "  header: none", "  size: null"]
    experiment = load(config(*lines, "  target: none", "  scale: none", data=None))
    assert experiment.data == DataSource("a.csv", "none", Files(train="a.csv", target="none"))
    assert load(config(data="{name: parity, scale: null}")).data == DataSource("parity")
    assert "there is no such part" in mistake(config(data="{train: a.csv, tset: none}"))


@pytest.mark.parametrize("name", [*SYNONYMS, "LR", "Batch_Size"])
def test_synonyms(name):
    """Other tools' words for a key are answered with ours."""
    ours = SYNONYMS[name.lower()]
    assert mistake(config(f"{name}: 1")) == (
        f"c.yaml:{NEXT}: {name}: is called {ours} here; "
        f"write {ours}: {KEYS[ours].metadata['example']}"
    )


def test_synonyms_of_the_issue():
    """The four words that the issue names are among the synonyms, and none is a key of ours."""
    asked = {"lr": "eta", "learning_rate": "eta", "batch_size": "bt_size", "layers": "structure"}
    assert asked.items() <= SYNONYMS.items()
    assert not set(SYNONYMS) & set(KEYS)
    assert set(SYNONYMS.values()) <= set(KEYS)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("epoch", "did you mean epochs?"), ("bt_sise", "did you mean bt_size?"),
     ("zzz", "see configs/README.md for the keys"), ("31", "see configs/README.md for the keys"),
     ("places", "see configs/README.md for the keys")],
)  # fmt: skip
def test_unknown_key(name, remedy):
    """An unknown key is refused, and the nearest one offered."""
    said = mistake(config(f"{name}: 1"))
    assert said == f"c.yaml:{NEXT}: {name}: there is no such key; {remedy}"


@pytest.mark.parametrize(
    ("text", "line", "name", "first"),
    [
        (config("eta: 0.3"), 6, "eta", 3),
        (config('"eta": 0.1'), 6, "eta", 3),
        (config(data="\n  name: parity\n  scale: none\n  name: parity"), 4, "name", 2),
        (config("x: [1, {a: 1, b: {c: 1, c: 2}}]"), 6, "c", 6),
    ],
    ids=["top", "quoted", "nested", "deep"],
)
def test_duplicate_key(text, line, name, first):
    """A key given twice, at any depth, is refused with both lines; neither value wins."""
    said = mistake(text)
    assert said.startswith(f"c.yaml:{line}: key {name} is given twice, first on line {first}; ")


# --- Mistakes in YAML


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "c.yaml:1: must hold keys and values"),
        ("# nothing\n", "c.yaml:1: must hold keys and values"),
        ("- eta\n", "c.yaml:1: must hold keys and values"),
        ("eta 0.3\n", "c.yaml:1: must hold keys and values"),
        (config("eta: [1"), "c.yaml:7: is not YAML: while parsing a flow sequence, expected"),
        (config("\teta: 1"), "c.yaml:6: is not YAML: while scanning for the next token, found"),
        (config("a: b: c"), "c.yaml:6: is not YAML: mapping values are not allowed here"),
        (config("---", "a: 1"), "c.yaml:6: is not YAML: expected a single document"),
        (config(eta="*x"), "c.yaml:3: is not YAML: found undefined alias 'x'"),
        (config("# お", "").encode() + b"# \xe9\n", "c.yaml:8: is not UTF-8: "),
        (config().encode("utf-16"), "c.yaml:1: is not UTF-8: "),
        (config("# お") + "\0", "c.yaml:7: is not YAML: character #x00: special"),
        (config('a: "\\UFFFFFFFF"'), "c.yaml:6: is not YAML: "),
        (config('a: "\\U00110000"'), "c.yaml:6: is not YAML: "),
        (config("? [a]", ": 1"), "c.yaml:6: a key must be a word"),
        (config("? {a: 1}", ": 1"), "c.yaml:6: a key must be a word"),
        (config(eta="1" * 5000), "c.yaml:3: is not YAML: found no valid int"),
        (config(eta="!!int x"), "c.yaml:3: is not YAML: found no valid int"),
        (config(eta="!!int [1]"), "c.yaml:3: is not YAML: found no valid int"),
        (config(eta="!!float {}"), "c.yaml:3: is not YAML: found no valid float"),
        (config(eta="!!bool 3"), "c.yaml:3: is not YAML: found no valid bool"),
        (config(eta="!!timestamp 3"), "c.yaml:3: is not YAML: found no valid timestamp"),
        (config("!!merge <<: {seed: 3}"), "c.yaml:6: is not YAML: could not determine"),
    ],
)  # fmt: skip
def test_what_is_not_yaml(text, said):
    """Bad syntax, encoding, tags, or more than one mapping are refused with the line."""
    assert mistake(text).startswith(said)


@pytest.mark.parametrize(
    "tag", ["!!python/name:os.getcwd ''", "!!python/object/apply:os.mkdir [sprung]", "!foo 1"]
)
def test_tags_run_nothing(tag, tmp_path):
    """Tags that ask for Python objects are refused."""
    said = mistake(config(eta=tag))
    assert said.startswith("c.yaml:3: is not YAML: could not determine a constructor")
    assert not (tmp_path / "cwd" / "sprung").exists()


@pytest.mark.parametrize("value", ["&a [*a]", "&a {a: *a}", "&a [[*a], *a]"])
def test_values_that_hold_themselves(value):
    """A list or mapping that holds itself is a wrong value like any other."""
    assert mistake(config(eta=value)).startswith("c.yaml:3: eta: must be a number above 0, not ")


@pytest.mark.parametrize("depth", [50, 1_000, 10_000])
@pytest.mark.parametrize(
    ("left", "right"), ["[]", ("{a: ", "}"), ("\n- ", ""), ("? ", ""), ("- ", ""), ("[{a: ", "}]")]
)
def test_deep_nesting(depth, left, right):
    """Nesting of any depth is refused, as a value or as such."""
    said = mistake(config(eta=left * depth + right * depth))
    assert said.startswith("c.yaml:"), said
    assert "must be a number" in said or "is not YAML" in said


@pytest.mark.unmeasured
@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? ", "- [", "x:\n "])
def test_nesting_is_refused_while_scanning(piece, mlp_process):
    """A file of 20,000 nested values is refused within seconds of processor time and 300 MB."""
    Path("c.yaml").write_text(f"eta: 0.1\nx:\n {piece * 20_000}")

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    run = mlp_process("train", "c.yaml", preexec_fn=limit)
    assert run.returncode == 2, run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""


def test_a_huge_file():
    """A file that is too large for a configuration is not parsed; a device is one, too."""
    Path("c.yaml").write_text("#" * (1 << 17) + "\n" + "eta: 1\n")
    for path in ("c.yaml", "/dev/zero"):
        with pytest.raises(ConfigError, match=f"^{path}: has more than 131072 bytes"):
            load_experiment(Path(path))


def test_a_long_override():
    """An error about an override says where it begins, and not all of it."""
    Path("c.yaml").write_text("eta: 1")
    with pytest.raises(ConfigError) as caught:
        load_experiment(Path("c.yaml"), ["eta=" + "[" * 5000])
    assert len(str(caught.value)) < 300


def test_missing_file(tmp_path):
    """A file that cannot be read is named with the system's reason."""
    for path, reason in [
        (tmp_path / "no.yaml", "no such file or directory"),
        (tmp_path, "is a directory"),
    ]:
        with pytest.raises(ConfigError) as caught:
            load_experiment(path)
        assert str(caught.value) == f"{path}: {reason}; give the path of a YAML experiment"


# --- Keys that are wrong together

TOGETHER = {
    "nesterov": (["nesterov: true"], "nesterov: needs momentum; add a line such as momentum: 0.9"),
    "momentum": (
        ["optimizer: adam", "momentum: 0.9"],
        "momentum: is a setting of sgd, but optimizer is adam; remove it, or write optimizer: sgd",
    ),
    "beta1": (
        ["beta1: 0.9"],
        "beta1: is a setting of adam and adamw, but optimizer is sgd; "
        "remove it, or write optimizer: adam",
    ),
    "beta1, rmsprop": (["optimizer: rmsprop", "beta1: 0.9"], "beta1: is a setting of adam"),
    "beta2": (["beta2: 0.9"], "beta2: is a setting of adam and adamw and rmsprop"),
    "epsilon": (["epsilon: 1e-8"], "epsilon: is a setting of adam and adamw and rmsprop"),
    "plateau": (
        ["schedule: plateau"],
        "schedule: plateau needs validation data; add a line such as",
    ),
    "patience": (["patience: 3"], "patience: needs validation data; add a line such as"),
    "monitor": (["monitor: error"], "monitor: needs validation data"),
    "min_delta": (["min_delta: 0.1"], "min_delta: needs validation data"),
    "dropout": (
        ["dropout: [0.1, 0.2, 0.3]"],
        "dropout: gives 3 rates, but there are an input layer and 1 hidden ones; "
        "give one rate for the hidden layers, or a list of 2",
    ),
    "activation": (
        ["activation: [relu, tanh]"],
        "activation: names 2 activations, but there are 1 hidden layers; "
        "give one for all, or one for each",
    ),
    "warmup": (["warmup: 1e4"], "warmup: lasts 10000 epochs, but there are 1000; make it shorter"),
    "compat, momentum": (
        ["compat: article", "momentum: 0.9"],
        "momentum: 0.9 contradicts compat: article, which means that it is not given; "
        "remove one of the two",
    ),
    "compat, activation": (
        ["compat: article", "activation: relu"],
        "activation: relu contradicts compat: article, which means sigmoid; remove one of the two",
    ),
    "compat, schedule": (
        ["compat: article", "schedule: cosine"],
        "schedule: cosine contradicts compat: article, which means constant; remove one",
    ),
}


@pytest.mark.parametrize(("lines", "message"), TOGETHER.values(), ids=TOGETHER)
def test_keys_that_are_wrong_together(lines, message):
    """Keys that make no sense together are refused, naming the line of the one that is too much."""
    said = mistake(config(*lines))
    assert said.startswith(f"c.yaml:{NEXT + len(lines) - 1}: {message}")


def test_initialiser_suits_the_activation():
    """Without `init` the activation decides, and the effective experiment says what."""
    for activation, init in (("sigmoid", "lecun"), ("tanh", "glorot"), ("relu", "he")):
        Path("c.yaml").write_text(config(f"activation: {activation}"), encoding="utf-8")
        assert load_experiment(Path("c.yaml")).to_mapping()["init"] == init


# --- Overrides


def overridden(*overrides, lines=()):
    """Load an experiment with overrides."""
    Path("c.yaml").write_text(config(*lines), encoding="utf-8")
    return load_experiment(Path("c.yaml"), overrides)


def test_overrides_replace_and_add_keys():
    """`--set` values are YAML; later ones win; dots reach into mappings, short ones too."""
    changed = overridden("eta=1e-3", "seed=1", "seed=2", "data.scale=unit", "structure=[10, 2]",
                         "schedule.name=step", "schedule.every=3")  # fmt: skip
    assert (changed.eta, changed.seed, changed.structure) == (1e-3, 2, (10, 2))
    assert changed.data == DataSource("parity", "unit")
    assert changed.schedule.to_mapping() == {"name": "step", "every": 3, "factor": 0.5}
    same = overridden("schedule.every=3", lines=["schedule: step"])
    assert same.schedule == changed.schedule
    assert overridden("augment.shift=2").augment == {"shift": 2}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("eta", "--set eta: is not KEY=VALUE; write --set eta=0.1"),
        ("=3", "--set =3: is not KEY=VALUE; write --set eta=0.1"),
        ("eta=[", "--set eta=[: is not KEY=VALUE; write --set eta=0.1"),
        ("data..scale=none", "--set data..scale=none: is not KEY=VALUE"),
        (
            "eta=fast",
            "--set eta=fast: eta: must be a number above 0, not 'fast'; write --set eta=0.3",
        ),
        ("lr=1", "--set lr=1: lr: is called eta here; write --set eta=1"),
        (
            "Layers=[4, 2]",
            "--set Layers=[4, 2]: Layers: is called structure here; write --set 'structure=[4, 2]'",
        ),
        (
            "structure=4",
            "--set structure=4: structure: must be a list of two or more layer sizes, each a whole "
            "number from 1, not 4; write --set 'structure=[784, 32, 10]'",
        ),
        ("eta.a=1", "--set eta.a=1: eta: must be a number above 0, not {'a': 1, 'name'"),
        ("data.scale=half", "--set data.scale=half: data.scale: must be unit"),
        ("data={name: 3}", "--set data={name: 3}: data.name: must be a name, not 3"),
        ("augment={shift: 0}", "--set augment={shift: 0}: augment.shift: must be"),
        ("schedule.factor=3", "--set schedule.factor=3: schedule.factor: must be"),
        ("schedule.every=2", "c.yaml:10: schedule.factor: must be a number above 0 and below 1"),
    ],
)
def test_wrong_overrides(override, message):
    """A mistake in an override is blamed on it and not on the file, and the other way round."""
    lines = ["augment:", "  shift: 1", "schedule:", "  name: step", "  factor: 2"]
    with pytest.raises(ConfigError) as raised:
        overridden(override, lines=lines)
    assert str(raised.value).startswith(message)
