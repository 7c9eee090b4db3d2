"""A user's own data, end to end: every kind of file, and a checkpoint that travels."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets
from sklearn.neural_network import MLPClassifier

from mlpcli.checkpoint import store
from mlpcli.data.labelled import open_labelled
from mlpcli.data.load import open_split

# `make acceptance` has more, and larger ones.
TABLES = ("iris", "wine", "breast_cancer")


def write_table(name):
    """Write one of scikit-learn's tables as CSV, with a header and the classes' names."""
    bunch = getattr(datasets, f"load_{name}")()
    with open(f"{name}.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*bunch.feature_names, "kind"])
        writer.writerows(
            [*x, bunch.target_names[y]]
            for x, y in zip(bunch.data.tolist(), bunch.target, strict=True)
        )
    return bunch.target


@pytest.mark.parametrize("name", TABLES)
def test_as_good_as_scikit_learn(run_mlp, name):
    """Over some seeds, init and train reach MLPClassifier's mean accuracy, less one point."""
    y = write_table(name)
    assert run_mlp("init", f"{name}.csv").returncode == 0
    ours, theirs = [], []
    for seed in range(5):
        run = run_mlp("train", f"{name}.yaml", "--set", f"seed={seed}", "-o", f"{seed}.npy", "-q",
                      "--json")  # fmt: skip
        assert run.returncode == 0, run.stderr
        ours.append(json.loads(run.stdout)["test"]["accuracy"])
        # The same fifth, or the luck of the split would decide.
        trained = store.load(Path(f"{seed}.npy"))
        train, test = (
            open_split(
                trained.experiment, trained.encoding, trained.fingerprint, Path(), part
            ).examples
            for part in ("train", "test")
        )
        # Enough iterations for every table to converge, which the default is not.
        judge = MLPClassifier(random_state=seed, max_iter=1000)
        judge.fit(train.features, train.labels)
        theirs.append(judge.score(test.features, test.labels))
    assert len(test.labels) == pytest.approx(len(y) / 5, abs=2)
    assert np.mean(ours) >= np.mean(theirs) - 0.01


def write_digits():
    """Write some digits as every kind of file; return the part of `data` that names each."""
    image = pytest.importorskip("PIL.Image")
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    bunch = datasets.load_digits()
    x, y = bunch.images[:400].astype(np.uint8), bunch.target[:400].astype(np.uint8)
    flat = x.reshape(400, 64)
    columns = {f"p{i}": flat[:, i] for i in range(64)} | {"digit": y}
    with open("d.csv", "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *np.column_stack([flat, y]).tolist()])
    np.save("x.npy", x)
    np.save("y.npy", y)
    np.savez_compressed("d.npz", x=flat.astype(float), y=y)
    for name, array in (("d-images-idx3-ubyte", x), ("d-labels-idx1-ubyte", y)):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        Path(name).write_bytes(head + array.tobytes())
    parquet.write_table(pa.table(columns), "d.parquet")
    for i, (pixels, label) in enumerate(zip(x, y, strict=True)):
        path = Path("png", str(label), f"{i:03}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        image.fromarray(pixels).save(path)
    return ("d.csv", "x.npy", "d.npz", "d-images-idx3-ubyte", "d.parquet", "png")


def test_kinds_of_files_agree(run_mlp):
    """The same digits train to the same weights from CSV, arrays, IDX, Parquet and images."""
    weights, sources = [], write_digits()
    for i, source in enumerate(sources):
        assert run_mlp("init", source, "-o", f"{i}.yaml").returncode == 0
        # Members are written for tables alone.
        run = run_mlp("train", f"{i}.yaml", "-q", "--set", "epochs=3", "--set", "members=none")
        assert run.returncode == 0, run.stderr
        weights.append(np.load(f"{i}.npy")["W2"].copy())
    for other in weights[1:]:
        np.testing.assert_array_equal(other, weights[0])
    judged = [run_mlp("evaluate", "--weights", "5.npy", "--data", source).stdout.splitlines()
              for source in sources if source not in ("d.csv", "d.parquet")]  # fmt: skip
    assert len({lines[1] for lines in judged}) == 1
    run = run_mlp("evaluate", "--weights", "5.npy", "--data", "d.csv", "--target", "digit")
    assert run.stdout.splitlines()[1] == judged[0][1]


def test_columns_called_by_numbers(run_mlp):
    """A header such as `0,1,class` is one, in training and after; rows without it are examples."""
    rows = "".join(f"{i % 2},{i % 3},{'ab'[i % 2]}\n" for i in range(60))
    Path("t.csv").write_text("0,1,class\n" + rows)
    run = run_mlp("init", "t.csv")
    assert run.stdout.startswith("60 examples, 2 features, 2 classes: a, b\n")
    assert run_mlp("train", "t.yaml", "-q").returncode == 0
    for text in ("0,1\n1,0\n0,2\n", "1,0\n0,1\n2,0\n", "1,1\n0,0\n", "1,1,b\n0,0,a\n"):
        Path("in.csv").write_text(text)
        assert run_mlp("predict", "--weights", "t.npy", "in.csv").stdout == "b\na\n"
        assert run_mlp("predict", "--weights", "t.npy", "-", input=text).stdout == "b\na\n"


TRAIN = "name,colour,age,kind\n" + "".join(
    f"n{i},{'red' if i % 2 else 'blue'},{i},{'no' if i % 2 else 'yes'}\n" for i in range(40)
)
CONFIG = """\
data:
  train: data.csv
  test: 0.25
  target: kind
  ignore: [name]
structure: [3, 4, 2]
eta: 3
bt_size: 4
epochs: 20
"""


@pytest.fixture
def home():
    """Make a folder `home` with data and a configuration."""
    folder = Path("home")
    folder.mkdir()
    (folder / "data.csv").write_text(TRAIN)
    (folder / "c.yaml").write_text(CONFIG)
    return folder


def test_a_configuration_moves_with_its_data(run_mlp, home):
    """Paths are relative to the configuration: copied elsewhere with its data, it trains alike."""
    assert run_mlp("train", home / "c.yaml", "-q").returncode == 0
    shutil.move(home, "elsewhere")
    assert run_mlp("train", "elsewhere/c.yaml", "-q", "-o", "again.npy").returncode == 0
    assert Path("c.npy").read_bytes() == Path("again.npy").read_bytes()


def test_evaluate_looks_for_the_files(run_mlp, home, monkeypatch):
    """Data are looked for here, then beside the checkpoint, and are asked for otherwise."""
    run = run_mlp("train", home / "c.yaml", "-q")
    assert "test accuracy 1.0000 (10 of 10)" in run.stdout
    run = run_mlp("evaluate", "--weights", "c.npy")
    assert run.returncode == 1
    assert run.stderr == "mlp: error: data.csv: there is no such file in .; give --data FILE\n"
    run = run_mlp("evaluate", "--weights", "c.npy", "--data", home / "data.csv")
    assert run.stdout.startswith(f"{home}/data.csv data\naccuracy 1.0000 (40 of 40)\n")
    shutil.copy("c.npy", home)
    beside = run_mlp("evaluate", "--weights", home / "c.npy")
    monkeypatch.chdir(home)
    here = run_mlp("evaluate", "--weights", "../c.npy")
    assert here.stdout == beside.stdout
    assert here.stdout.startswith("data.csv test\naccuracy 1.0000 (10 of 10)\n")
    train = run_mlp("evaluate", "--weights", "c.npy", "--split", "train")
    assert "accuracy 1.0000 (30 of 30)" in train.stdout


def test_data_that_changed(run_mlp, home, monkeypatch):
    """A split of another file than was trained on is not judged as if it were the same."""
    monkeypatch.chdir(home)
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    Path("data.csv").write_text(TRAIN + "n40,blue,40,yes\n")
    for split in ("test", "train"):
        run = run_mlp("evaluate", "--weights", "c.npy", "--split", split)
        assert run.returncode == 1
        assert run.stderr.startswith("mlp: error: data.csv: has changed since the training; ")
    run = run_mlp("evaluate", "--weights", "c.npy", "--data", "data.csv")
    assert "accuracy 1.0000 (41 of 41)" in run.stdout


def test_a_checkpoint_alone_predicts(run_mlp, home):
    """Nothing but the checkpoint is needed for new rows, in any order of columns."""
    assert run_mlp("train", home / "c.yaml", "-q", "-o", "w.npy").returncode == 0
    shutil.rmtree(home)
    run = run_mlp("predict", "--weights", "w.npy", "-", input="age,colour\n100,red\n3,blue\n")
    assert (run.stdout, run.stderr) == ("no\nyes\n", "")


def test_a_test_file_needs_no_training_file(run_mlp, home, monkeypatch):
    """Where the test examples are a file, that file alone is needed to judge them."""
    monkeypatch.chdir(home)
    Path("c.yaml").write_text(CONFIG.replace("0.25", "test.csv"))
    Path("test.csv").write_text("colour,age,kind\nred,5,no\nblue,7,yes\nblue,9,no\n")
    assert "test accuracy 0.6667 (2 of 3)" in run_mlp("train", "c.yaml", "-q").stdout
    Path("data.csv").unlink()
    run = run_mlp("evaluate", "--weights", "c.npy")
    assert run.stdout.startswith("test.csv test\n") or "accuracy 0.6667 (2 of 3)" in run.stdout


def test_no_test_split(run_mlp, home):
    """Without `test`, training says so, and evaluate says what to do."""
    (home / "c.yaml").write_text(CONFIG.replace("  test: 0.25\n", ""))
    assert "no test split" in run_mlp("train", home / "c.yaml", "-q").stdout
    run = run_mlp("evaluate", "--weights", "c.npy")
    assert run.stderr == (
        "mlp: error: data.csv: has no test split; use --split train, or --data FILE\n"
    )


def test_structure_must_fit(run_mlp, home):
    """`structure` is held against the encoded features, and the line to write is shown."""
    (home / "c.yaml").write_text(CONFIG.replace("[3,", "[2,"))
    run = run_mlp("train", home / "c.yaml")
    assert (run.returncode, run.stdout) == (2, "")
    assert "starts with 2 inputs, and data.csv has 3 features; write structure: [3, 4, 2]" in (
        run.stderr
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            "{train: d.csv, scale: half}",
            ".scale: must be unit, standardize, robust or none, not 'half'",
        ),
        ("{train: d.csv, test: 1.5}", ".test: must be a file, a folder, or a fraction between 0"),
        ("{train: d.csv, colour: 1}", ".colour: there is no such part; the parts are train, test"),
        ("{train: d.csv, missing: zero}", ".missing: must be error, mean or drop, not 'zero'"),
        ("{train: d.csv, size: [0, 4]}", ".size: must be [rows, columns], each from 1 to 4096"),
        (
            "{train: d.csv, delimiter: x}",
            '.delimiter: must be "," or ";" or "\\t" or "|" or " ", no',
        ),
        ("{train: d.csv, decimal: x}", '.decimal: must be "." or ",", not'),
        ("{train: d.csv, decimal: ',', thousands: ','}", ".thousands: ',' is decimal, too; leave"),
        ("{train: d.csv, header: 1}", ".header: must be true or false, not 1"),
        ("{train: d.csv, ignore: [1.5]}", ".ignore: must be a list of column names or positions"),
        ("{train: [a]}", ".train: must be a file or a folder of images, not ['a']"),
        ("{test: d.csv}", ": must be a dataset's name"),
        ("d.csv", ": there is no dataset d.csv; for a file, write data: {train: d.csv}"),
    ],
)
def test_mistakes_in_the_data_key(run_mlp, home, data, problem):
    """A mistake in `data` is a configuration error that names the part, the line and the file."""
    (home / "c.yaml").write_text(
        f"data: {data}\nstructure: [3, 2]\neta: 1\nbt_size: 1\nepochs: 1\n"
    )
    run = run_mlp("train", home / "c.yaml")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert run.stderr.startswith(f"mlp: error: home/c.yaml:1: data{problem}")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("train: a.csv", "2: data.train: a.csv: there is no such file in home"),
        ("train: x.npy\n  test: b.csv", "3: data.test: b.csv: there is no such file in home"),
        ("train: x.npy\n  test: 0.01", "3: data.test: home/x.npy: has too few examples of each"),
        ("train: x.npy\n  target: z.npy", "3: data.target: z.npy: there is no such file in home"),
        ("train: x.npy\n  target: 7", "3: data.target: home/x.npy: has 2 columns, and no column 7"),
        ("train: d.npz\n  target: z", "3: data.target: home/d.npz: has no array z; its arrays are"),
        ("train: x.npy\n  target: y.npy\n  test: x.npy\n  test_target: z.npy",
         "5: data.test_target: z.npy: there is no such file in home"),
        ("train: t.csv\n  target: z", "3: data.target: home/t.csv:1: there is no column 'z'; the"),
        ("train: t.csv\n  ignore: z", "3: data.ignore: home/t.csv:1: there is no column 'z'; the"),
        ("train: t.csv\n  ignore: y\n  target: y",
         "3: data.ignore: home/t.csv:1: column y is to be ignored"),
        ("train: t.csv\n  categorical: 9", "3: data.categorical: home/t.csv:1: there is no column"),
        ("train: x.npy\nvalidation: v.csv", "3: validation: v.csv: there is no such file in home"),
        ("scale: none\n  name: a", "3: data.name: there is no dataset a; the datasets are"),
    ],
)  # fmt: skip
def test_what_is_not_there(run_mlp, home, data, said):
    """What a configuration asks for and is not there names the line that asks for it."""
    x, y = np.arange(80).reshape(40, 2), np.arange(40) % 2
    np.save(home / "x.npy", x)
    np.save(home / "y.npy", y)
    np.savez(home / "d.npz", x=x, y=y)
    (home / "t.csv").write_text("a,b,y\n1,2,no\n3,4,yes\n")
    keys = "structure: [2, 2]\neta: 1\nbt_size: 1\nepochs: 1\n"
    (home / "c.yaml").write_text(f"data:\n  {data}\n{keys}")
    run = run_mlp("train", home / "c.yaml")
    assert (run.stdout, run.stderr.count("\n")) == ("", 1)
    assert run.stderr.startswith(f"mlp: error: home/c.yaml:{said}")


def test_every_part_comes_back_from_the_checkpoint():
    """The record of files is the same when it has been through a checkpoint's description."""
    from mlpcli.config.data_files import Files, MissingValues
    from mlpcli.config.data_parts import PARTS, parse_files

    files = Files(
        "a.csv",
        0.2,
        "y",
        "|",
        "t.npy",
        ("id", 3),
        ("c",),
        "mean",
        True,
        ";",
        size=(2, 3),
        grayscale=False,
    )
    files = files._replace(missing_values=MissingValues(("-", -9), only=True))
    files = files._replace(
        decimal=",", thousands=".", units=("kg",), dates=("d", 4), day_first=True
    )
    assert set(PARTS) == {*Files._fields, "scale"}
    mapping = json.loads(json.dumps(files.to_mapping()))
    assert parse_files(mapping | {"scale": "none"}) == (files, "none")
    assert Files("a.csv").to_mapping() == {"train": "a.csv"}


@pytest.mark.parametrize("scale", ["unit", "standardize", "none"])
def test_scale_of_a_named_dataset(run_mlp, scale):
    """A dataset known by name takes every scaling, and the checkpoint knows which."""
    text = "{data: {name: parity, scale: %s}, structure: [10, 2], eta: 1, bt_size: 8, epochs: 1}"
    Path("p.yaml").write_text(text % scale)
    assert run_mlp("train", "p.yaml", "-q").returncode == 0
    trained = run_mlp("evaluate", "--weights", "p.npy")
    assert trained.returncode == 0
    meta = json.loads(np.load("p.npy")["meta"].tobytes())
    assert meta["encoding"]["scale"] == scale
    assert len(meta["encoding"].get("means", [])) == (10 if scale == "standardize" else 0)


def test_validation_may_be_a_file(run_mlp):
    """`validation: FILE` judges epochs on that file's examples and trains on all others."""
    write_table("iris")
    lines = Path("iris.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    Path("train.csv").write_text("".join(lines[:1] + lines[1::2]), encoding="utf-8")
    Path("held.csv").write_text("".join(lines[:1] + lines[2::2]), encoding="utf-8")
    assert run_mlp("init", "train.csv").returncode == 0
    options = ["--set", "validation=held.csv", "--set", "epochs=3"]
    run = run_mlp("train", "train.yaml", *options)
    assert run.returncode == 0, run.stderr
    held, meta = store.load_with_meta(Path("train.npy"))
    opened = open_labelled(Path("held.csv"), held.encoding, held.experiment.data.files)
    error = held.evaluate(opened.examples).error
    assert meta.best["validation_error"] == pytest.approx(error, rel=1e-6)
    Path("held.csv").write_text("".join(lines[:1] + lines[4::2]), encoding="utf-8")
    run = run_mlp("train", "train.yaml", *options, "--resume")
    assert run.returncode == 2
    assert "train.npy: was validated on other data; restore them, or start" in run.stderr


def test_a_validation_file_needs_data_in_files(run_mlp):
    """A file to validate a dataset known by name is refused, naming the key."""
    assert run_mlp("init", "parity", "-o", "p.yaml").returncode == 0
    text = Path("p.yaml").read_text(encoding="utf-8").replace("compat: article", "")
    Path("p.yaml").write_text(text + "validation: held.csv\n", encoding="utf-8")
    run = run_mlp("train", "p.yaml")
    assert run.returncode == 2
    assert "validation: held.csv is a file, and parity is known by name; write" in run.stderr
