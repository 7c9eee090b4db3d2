"""`mlp init`: a configuration that trains as it is."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFIGS

from mlpcli.config.load import load_experiment
from mlpcli.data import suggest
from mlpcli.data.guess.record import Wishes

HEADER = "header: the first line names the columns (--no-header says otherwise)"
IRISES = "length,width,species\n" + "".join(
    f"{i % 7},{i % 3 * 10},{('setosa', 'virginica', 'versi color')[i % 3]}\n" for i in range(60)
)


def test_train_without_editing(run_mlp):
    """`mlp init iris.csv && mlp train iris.yaml` works, and learns."""
    Path("my iris.csv").write_text(IRISES)
    run = run_mlp("init", "my iris.csv")
    assert run.stdout.endswith("wrote my iris.yaml; next: mlp train 'my iris.yaml'\n")
    Path("iris.csv").write_text(IRISES)
    run = run_mlp("init", "iris.csv")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        "60 examples, 2 features, 3 classes: setosa, versi color, virginica",
        HEADER,
        "target: species (the last column; --target names another)",
        "wrote iris.yaml; next: mlp train iris.yaml",
    ]
    run = run_mlp("train", "iris.yaml", "-q")
    assert (run.returncode, run.stderr) == (0, "")
    assert "test accuracy 1.0000 (12 of 12)" in run.stdout


def test_standard_output(run_mlp):
    """`mlp init -o -` prints the configuration, and what was found on standard error."""
    Path("iris.csv").write_text(IRISES)
    run = run_mlp("init", "iris.csv", "-o", "-")
    assert (run.returncode, run.stderr.count("\n")) == (0, 3)
    assert sorted(path.name for path in Path().iterdir()) == ["iris.csv"]
    run_mlp("init", "iris.csv", "-o", "iris.yaml")
    assert run.stdout == Path("iris.yaml").read_text()


def test_every_line_has_its_reason(run_mlp):
    """Every key is explained where it stands, and structure fits the data."""
    Path("iris.csv").write_text(IRISES)
    assert run_mlp("init", "iris.csv").returncode == 0
    lines = Path("iris.yaml").read_text().splitlines()
    assert all("# " in line for line in lines if not line.startswith(("data:", "  train:")))
    experiment = load_experiment(Path("iris.yaml"))
    assert (experiment.structure[0], experiment.structure[-1]) == (2, 3)
    assert experiment.data.files.target == "species"
    assert experiment.data.scale == "standardize"


def test_never_overwrites(run_mlp):
    """A file that is there stays as it is, given or not."""
    Path("iris.csv").write_text(IRISES)
    for args, name in ((["iris.csv"], "iris.yaml"), (["parity", "-o", "a.yaml"], "a.yaml")):
        Path(name).write_text("mine")
        run = run_mlp("init", *args)
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr.startswith(f"mlp: error: {name}: exists; choose another name with -o")
        assert Path(name).read_text() == "mine"


@pytest.mark.parametrize("name", [path.stem for path in CONFIGS.glob("*.yaml")])
def test_shipped_configurations(run_mlp, name):
    """The configurations that come with mlp are written as they are; parity without a name."""
    for args in ([name], []) if name == "parity" else ([name],):
        Path(f"{name}.yaml").unlink(missing_ok=True)
        assert run_mlp("init", *args).returncode == 0
        assert Path(f"{name}.yaml").read_bytes() == (CONFIGS / f"{name}.yaml").read_bytes()


def test_paths_are_relative_to_the_configuration(run_mlp):
    """A configuration elsewhere names its data as seen from there, and can move with them."""
    for folder in ("data", "configs"):
        Path(folder).mkdir()
    Path("data/iris.csv").write_text(IRISES)
    assert run_mlp("init", "data/iris.csv", "-o", "configs/iris.yaml").returncode == 0
    assert load_experiment(Path("configs/iris.yaml")).data.name == "../data/iris.csv"
    assert run_mlp("train", "configs/iris.yaml", "-q").returncode == 0


def test_what_is_found_in_a_table(run_mlp):
    """Row numbers and names are ignored, gaps filled, text one-hot; all of it is said."""
    rows = [f"{i},n{i},{'' if i == 5 else i % 9},{'uv'[i % 2]},{i % 2}\n" for i in range(40)]
    Path("t.csv").write_text("PassengerId,name,age,sex,label\n" + "".join(rows))
    run = run_mlp("init", "t.csv")
    assert run.stdout.splitlines() == [
        "40 examples, 3 features, 2 classes: 0, 1",
        HEADER,
        "target: label (by its name; --target names another)",
        "ignored: PassengerId, name (different in every row; features only if taken out of ignore)",
        "missing values: the mean stands for them; drop leaves rows out",
        "column sex is text: 2 categories, one-hot",
        "wrote t.yaml; next: mlp train t.yaml",
    ]
    run = run_mlp("train", "t.yaml", "-q")
    assert "accuracy 1.0000" in run.stdout


@pytest.mark.parametrize(
    ("name", "lower"),
    [("id", True), ("row_id", True), ("rowId", True), ("ID", True), ("", True), ("grid", False),
     ("humid", False), ("age", False)],
)  # fmt: skip
def test_what_is_a_row_number(name, lower):
    """Whole numbers that are all different are row numbers if their name says so."""
    Path("t.csv").write_text(f"{name},x,y\n" + "".join(f"{i},1,{i % 2}\n" for i in range(9)))
    text = suggest.suggest(Path("t.csv"), Wishes(), Path()).text
    assert ("ignore:" in text) == lower


def test_empty_columns_are_ignored(run_mlp):
    """A column without a value, as spreadsheets leave them, is no feature, and that is said."""
    Path("t.csv").write_text("a,gap,,y\n" + "".join(f"{i % 5},NA,,{i % 2}\n" for i in range(20)))
    run = run_mlp("init", "t.csv")
    assert "ignored: gap, column 2 (from 0) (no values)" in run.stdout.splitlines()
    assert run_mlp("train", "t.yaml", "-q").returncode == 0


def test_a_text_that_never_changes_is_ignored(run_mlp):
    """A column of one text is no feature, so that new rows may have another."""
    rows = [f"{i % 5},maps,{i % 2}" for i in range(20)]
    # Another text stands only where the target is missing.
    Path("t.csv").write_text("\n".join(["a,study,y", *rows, "1,flat,NA"]) + "\n")
    run = run_mlp("init", "t.csv")
    assert "ignored: study (the same in every row)" in run.stdout.splitlines()
    assert run_mlp("train", "t.yaml", "-q").returncode == 0
    assert run_mlp("predict", "t.csv", "--weights", "t.npy").returncode == 0


def test_gaps_in_arrays(run_mlp):
    """An array with NaN trains without editing, too."""
    array = np.random.default_rng(0).normal(size=(20, 2))
    array[3, 1] = np.nan
    np.savez("d.npz", x=array, y=np.arange(20) % 2)
    assert "missing values: the mean stands for them" in run_mlp("init", "d.npz").stdout
    assert run_mlp("train", "d.yaml", "-q").returncode == 0


def test_names_that_yaml_would_not_take(run_mlp):
    """Line breaks and control characters in names of columns do no harm; a class has none."""
    names = ["a", "b\nc", "two\n\x7f\u2028lines"]
    with open("t.csv", "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([names, *([i, 1, f"class {i % 2}"] for i in range(20))])
    assert run_mlp("init", "t.csv").returncode == 0
    assert load_experiment(Path("t.yaml")).data.files.target == names[-1]
    assert run_mlp("train", "t.yaml", "-q", "--set", "epochs=1").returncode == 0
    Path("t.csv").write_text("x,y\n" + '1,"a\nb"\n2,c\n' * 9, encoding="utf-8")
    run = run_mlp("init", "t.csv", "-o", "other.yaml")
    assert run.returncode == 1
    assert r"class 'a\nb' has a control character" in run.stderr


def test_target_decides(run_mlp):
    """`--target` names a column, by its name or position, or a file of labels."""
    Path("t.csv").write_text("kind,x\n" + "".join(f"{'ab'[i % 2]},{i}\n" for i in range(9)))
    for i, target in enumerate(("kind", "0", "-2")):
        assert run_mlp("init", "t.csv", "--target", target, "-o", f"{i}.yaml").returncode == 0
        assert run_mlp("train", f"{i}.yaml", "-q").returncode == 0
    np.save("x.npy", np.arange(20).reshape(10, 2))
    np.save("kinds.npy", np.arange(10) % 2)
    run = run_mlp("init", "x.npy", "--target", "kinds.npy")
    assert "target: kinds.npy" in run.stdout
    # x.npy is the data, so x.yaml, which would train to it, is no name for the configuration.
    assert run_mlp("train", "x-mlp.yaml", "-q").returncode == 0


def test_a_quantity_is_learned(run_mlp):
    """A numeric target of many values is a regression, which init says and --task may deny."""
    Path("t.csv").write_text("x,price\n" + "".join(f"{i},{i % 15 * 1.5}\n" for i in range(150)))
    run = run_mlp("init", "t.csv")
    assert run.stdout.startswith(
        "150 examples, 1 features, 1 quantity: price\n"
        "task: regression (the target is a number with 15 different values in 150 examples; "
        "--task classification makes them classes)\n"
    )
    assert load_experiment(Path("t.yaml")).learns == "regression"
    assert run_mlp("train", "t.yaml", "-q", "--set", "epochs=2").returncode == 0
    run = run_mlp("init", "t.csv", "-o", "c.yaml", "--task", "classification")
    assert run.stdout.startswith("150 examples, 1 features, 15 classes: 0.0, 1.5, ")
    run = run_mlp("train", "c.yaml", "-q", "--set", "epochs=2")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["nope.csv"], 2, "nope.csv: there is no such file or experiment; the experiments are "),
        (["partiy"], 2, "partiy: there is no such file or experiment; did you mean parity?"),
        (["t.csv", "--target", "z"], 1, "t.csv:1: there is no column 'z'; the columns are 'x', "),
        (["t.csv", "-o", "no/folder.yaml"], 1, "no/folder.yaml: cannot be written: no such file"),
        (["empty"], 1, "empty: is empty"),
    ],
)
def test_mistakes_are_one_line(run_mlp, args, code, message):
    """Anything else that is wrong is said in one line."""
    Path("t.csv").write_text("x,y\n" + "1,a\n2,b\n3,a\n4,b\n" * 3)
    Path("empty").touch()
    run = run_mlp("init", *args)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (code, "", 1)
    assert run.stderr.startswith(f"mlp: error: {message}")


def test_folders(run_mlp):
    """A folder of images trains as it is: train and test apart, mixed sizes made one."""
    image = pytest.importorskip("PIL.Image")
    for part in ("train", "test"):
        for i in range(12):
            path = Path("d", part, "ab"[i % 2], f"{i}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            side = 8 + i // 6
            image.fromarray(np.full((side, side), 200 * (i % 2) + i, np.uint8)).save(path)
    run = run_mlp("init", "d")
    assert "images of 2 sizes: resized to 8×8" in run.stdout
    experiment = load_experiment(Path("d.yaml"))
    assert experiment.data.files[:2] == ("d/train", "d/test")
    assert "test accuracy 1.0000 (12 of 12)" in run_mlp("train", "d.yaml", "-q").stdout


def test_the_size_of_most_images_is_taken(run_mlp):
    """One tiny image among many does not make all images tiny."""
    image = pytest.importorskip("PIL.Image")
    for i in range(12):
        path = Path("d", "ab"[i % 2], f"{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        side = 4 if i == 5 else 20
        image.fromarray(np.full((side, side), 200 * (i % 2) + i, np.uint8)).save(path)
    assert "images of 2 sizes: resized to 20×20" in run_mlp("init", "d").stdout


def test_photographs_of_one_size_are_made_smaller(run_mlp):
    """Images of more pixels than a network has use for are resized, although all are alike."""
    image = pytest.importorskip("PIL.Image")
    for i in range(12):
        path = Path("d", "ab"[i % 2], f"{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        image.fromarray(np.full((300, 400), 200 * (i % 2) + i, np.uint8)).save(path)
    assert "images of 300×400 pixels: resized to 64×64" in run_mlp("init", "d").stdout
    assert load_experiment(Path("d.yaml")).structure[0] == 64 * 64


def test_images_of_every_split_are_looked_at(run_mlp):
    """Where test images alone have another size, or colours, all are made one all the same."""
    image = pytest.importorskip("PIL.Image")
    for part, side, mode in (("train", 8, "L"), ("val", 8, "L"), ("test", 9, "RGB")):
        for i in range(12):
            path = Path("d", part, "ab"[i % 2], f"{i}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = image.fromarray(np.full((side, side), 200 * (i % 2) + i, np.uint8))
            pixels.convert(mode).save(path)
    run = run_mlp("init", "d")
    assert "images of 2 sizes: resized to 8×8" in run.stdout
    assert "24 gray and 12 colour images: made gray" in run.stdout
    run = run_mlp("train", "d.yaml", "-q", "--set", "epochs=1")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(("few", "most", "values"), [("L", "RGB", 300), ("RGB", "L", 100)])
def test_images_are_coloured_as_most_are(run_mlp, few, most, values):
    """A few gray ones take no colour from the others; what Windows leaves beside them is none."""
    image = pytest.importorskip("PIL.Image")
    for i in range(12):
        path = Path("d", "ab"[i % 2], f"{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((10, 10, 3), (200, 0, 0) if i % 2 else (0, 0, 200), np.uint8)
        image.fromarray(pixels).convert(few if i < 3 else most).save(path)
    Path("d/a/Thumbs.db").touch()
    run = run_mlp("init", "d")
    assert f"12 examples, {values} features" in run.stdout
    assert f"made {'coloured' if most == 'RGB' else 'gray'}, as most are" in run.stdout
    assert run_mlp("train", "d.yaml", "-q", "--set", "epochs=1").returncode == 0


def images(n, side, labels):
    """Write n images of noise, and their labels."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, side, side), np.uint8)
    np.savez("x.npz", x=pixels, y=labels)


@pytest.mark.parametrize(
    ("n", "side", "shift", "elastic"),
    [(40, 16, 1, (2.3, 6.5)), (60, 64, 2, (9.1, 104.5)), (5000, 16, 1, (2.3, 6.5))],
)
def test_images_are_distorted(run_mlp, n, side, shift, elastic):
    """Images are turned, moved and bent, with a mild decay where they are few, and train so."""
    images(n, side, np.arange(n) % 2)
    assert run_mlp("init", "x.npz").returncode == 0
    experiment = load_experiment(Path("x.yaml"))
    assert experiment.augment == {
        **{"rotate": 12, "scale": 0.12, "shear": 0.12, "shift": shift, "fill": "edge"},
        "elastic": dict(zip(("sigma", "alpha"), elastic, strict=True)),
    }
    assert experiment.weight_decay == (0 if experiment.validation else 0.3)
    run = run_mlp("train", "x.yaml", "-q", "--set", "epochs=1")
    assert (run.returncode, "error" in run.stderr) == (0, False)


def test_images_in_colour_are_not_bent(run_mlp):
    """Photographs of things bend less than handwriting."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)
    np.savez("x.npz", x=pixels, y=np.arange(40) % 2)
    assert run_mlp("init", "x.npz").returncode == 0
    assert load_experiment(Path("x.yaml")).augment == {
        **{"rotate": 12, "scale": 0.12, "shear": 0.12, "shift": 1, "fill": "edge"}
    }


@pytest.mark.parametrize(
    ("side", "labels", "options"),
    [(15, np.arange(40) % 2, ()), (16, np.arange(40) / 7, ("--task", "regression"))],
)
def test_what_distortions_would_harm_is_not_distorted(run_mlp, side, labels, options):
    """Tiny images stay as they are, and those from which a quantity, such as an angle, is told."""
    images(40, side, labels)
    assert run_mlp("init", "x.npz", *options).returncode == 0
    assert load_experiment(Path("x.yaml")).augment is None


def table(n, features, classes):
    """Write a table of noise."""
    rows = np.random.default_rng(0).normal(size=(n, features))
    lines = [",".join([*map(repr, row), f"c{i % classes}"]) for i, row in enumerate(rows.tolist())]
    Path("t.csv").write_text(
        "\n".join([",".join([*(f"x{i}" for i in range(features)), "y"]), *lines])
    )


@pytest.mark.parametrize(
    ("n", "features", "classes", "expected"),
    [
        # 300 · sqrt(features / classes) / n, n being the training rows, and at least 60 epochs
        (500, 8, 2, {"optimizer": "adamw", "weight_decay": 1.5, "epochs": 160, "validation": None}),
        (700, 9, 12, {"weight_decay": 0.47, "members": 4, "structure": (9, 256, 12)}),
        (50, 8, 2, {"weight_decay": 5.0, "epochs": 800, "members": 4}),
        (26000, 3, 2, {"optimizer": "adam", "validation": 0.1, "patience": 10, "members": None}),
        # 2,500 · 256 / n, from 32 to 200
        (1000, 3, 2, {"preset": "tabular", "epochs": 200, "validation": 0.1, "calibrate": True}),
        (7000, 3, 2, {"preset": "tabular", "epochs": 114, "validation": 0.1, "members": None}),
    ],
)
def test_something_stops_training(run_mlp, n, features, classes, expected):
    """Few rows train with strong decay and a falling eta; of many some are set aside."""
    table(n, features, classes)
    assert run_mlp("init", "t.csv").returncode == 0
    experiment = load_experiment(Path("t.yaml"))
    assert {name: getattr(experiment, name) for name in expected} == expected
    schedule = "constant" if experiment.validation else "cosine"
    assert experiment.schedule.name == ("cosine_log" if experiment.preset else schedule)


@pytest.mark.parametrize(("n", "members"), [(749, 4), (751, None)])
def test_few_rows_of_a_quantity_get_members(run_mlp, n, members):
    """On fewer rows than the preset is for, several networks in one learn a quantity, and train."""
    rows = [f"{i % 7},{i % 3},{i % 91 * 0.37}" for i in range(n)]
    Path("t.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    assert run_mlp("init", "t.csv").returncode == 0
    experiment = load_experiment(Path("t.yaml"))
    assert experiment.members == members
    # Half of 300 · sqrt(features / quantities) / n.
    assert experiment.weight_decay == (0.35 if members else 0)
    run = run_mlp("train", "t.yaml", "-q", "--set", "epochs=1")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("kind", ["classes", "quantity", "labels"])
def test_a_larger_table_gets_the_preset(run_mlp, kind):
    """From 600 rows to train on `mlp init` chooses `preset: tabular`, says so, and it trains."""
    targets = {
        "classes": lambda i: f"c{i % 3}",
        "quantity": lambda i: f"{i % 91 * 0.37}",
        "labels": lambda i: f"{i % 2},{i % 3 // 2}",
    }
    names = "y,z" if kind == "labels" else "y"
    rows = [f"{i % 7},{'uv'[i % 2]},{targets[kind](i)}" for i in range(1000)]
    Path("t.csv").write_text("\n".join([f"a,b,{names}", *rows]) + "\n")
    columns = ["--target", "y", "--target", "z"] if kind == "labels" else []
    run = run_mlp("init", "t.csv", *columns)
    assert run.stdout.splitlines()[-2] == "preset: tabular (from 600 rows to train on)"
    # Of two categories the preset makes one input.
    assert run.stdout.startswith("1000 examples, 2 features, ")
    assert "column b is text: 2 categories, -1 and 1\n" in run.stdout
    lines = Path("t.yaml").read_text().splitlines()
    assert all("# " in line for line in lines if not line.startswith(("data:", "  train:")))
    run = run_mlp("train", "t.yaml", "-q", "--set", "epochs=1", "--set", "hidden=[4]")
    assert run.returncode == 0, run.stderr
    shown = json.loads(run_mlp("show", "t.npy", "--json").stdout)["experiment"]
    assert (shown["preset"], shown["data"]["scale"]) == ("tabular", "robust")
