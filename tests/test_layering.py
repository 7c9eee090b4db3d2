"""Imports point one way, and every library has its place."""

import ast
import sys

import pytest
from conftest import ROOT

# Lower floors come later; what shares a floor may not import one another,
FLOORS = (
    {"__main__", "__init__"},
    {"cli"},
    {"report", "plots"},
    {"evaluation", "prediction", "export"},
    {"tuning"},
    {"checkpoint"},
    {"training"},
    {"model"},
    {"data", "config", "nn"},
    {"errors", "atomic", "rng", "signals", "jit"},
)
# but for these.
NEIGHBOURS = {("data", "config"), ("atomic", "errors"), ("signals", "errors")}
RANKS = {part: rank for rank, parts in enumerate(FLOORS) for part in parts}
# Inside data, readers know nothing of what is made of their tables.
INNER = {"data.readers": ("data.readers",)}
# Who may import a library; numpy may be imported by whatever computes.
LIBRARIES = {
    "click": ("cli",),
    "tqdm": ("cli",),
    "requests": ("data.builtin.transport",),
    "urllib3": ("data.builtin.transport", "data.builtin.paced"),
    "yaml": ("config",),
    "PIL": ("data.readers.images", "data.readers.image_files"),
    "pyarrow": ("data.readers.parquet",),
    "numba": ("jit", "nn.compiled.blas", "nn.compiled.team", "nn.compiled.views"),
    "llvmlite": ("nn.compiled.blas", "nn.compiled.team"),
    "mpi4py": ("training.ranks",),
    "onnx": ("export.onnx_graph", "export.onnx_model"),
    "matplotlib": ("plots", "cli.plot"),
    "cycler": ("plots",),
    "optuna": ("tuning.study", "tuning.storage", "tuning.results"),
    "sqlalchemy": ("tuning.storage",),
    "numpy": ("report", "plots", "evaluation", "prediction", "export", "checkpoint", "training",
              "model", "data", "nn", "rng", "jit", "config.compat"),
}  # fmt: skip

# NumPy's readers, which trust a file's header.
READERS = ("load", "read_array", "open_memmap", "fromfile")

MODULES = {
    ".".join(path.relative_to(ROOT / "mlpcli").with_suffix("").parts): path
    for path in sorted((ROOT / "mlpcli").rglob("*.py"))
}


def imports(tree):
    """Yield the full name of everything that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def within(module, places):
    """Return whether a module is one of these, or inside one."""
    return any(module == place or module.startswith(place + ".") for place in places)


def violations(module, source):
    """Return what a module does that the design forbids.

    Args:
        module: its name inside `mlpcli`, such as "nn.network".
        source: its text.
    """
    tree = ast.parse(source)
    part, found = module.partition(".")[0], []
    for name in imports(tree):
        top, _, rest = name.partition(".")
        if name.startswith("."):
            found.append(f"{name} is relative")
        elif top == "mlpcli":
            other = rest.partition(".")[0]
            if not allowed(module, part, other, rest):
                found.append(f"{part} imports {other}")
        elif top in LIBRARIES:
            if not within(module, LIBRARIES[top]):
                found.append(f"{module} imports {top}")
        elif top not in sys.stdlib_module_names:
            found.append(f"{top} is no core dependency")
        if top in ("pickle", "marshal", "shelve"):
            found.append(f"{top} runs what it reads")
    return found + [f"line {node.lineno}: {problem}" for node, problem in dangers(module, tree)]


def allowed(module, part, other, rest):
    """Return whether a module of one part may import `mlpcli.REST`, which is of another."""
    if other == "__version__":
        return True
    if other == part:
        inside = next((inner for room, inner in INNER.items() if within(module, (room,))), None)
        return inside is None or within(rest, inside)
    known = part in RANKS and other in RANKS
    return known and (RANKS[part] < RANKS[other] or (part, other) in NEIGHBOURS)


def dangers(module, tree):
    """Yield every place where data could run code, or a checkpoint is read by np.load."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield node.value, "allow_pickle is not False"
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in READERS
            and within(module, ("checkpoint",))
        ):
            yield node, f"a checkpoint is read by {node.attr}"


def test_every_module_has_a_layer():
    """No module of the package escapes the rules."""
    parts = {module.partition(".")[0] for module in MODULES}
    assert parts <= set(RANKS)
    assert len(MODULES) > 25


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module):
    """A module imports lower layers, libraries where they belong, and nothing that runs data."""
    assert violations(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("nn.network", "from mlpcli.data import splits", "nn imports data"),
        ("nn.network", "from mlpcli import training", "nn imports training"),
        ("nn.network", "import mlpcli.cli", "nn imports cli"),
        ("nn.network", "from ..data import splits", "..data.splits is relative"),
        ("nn.network", "import scipy.special", "scipy is no core dependency"),
        ("data.load", "def f():\n    from mlpcli import checkpoint", "data imports checkpoint"),
        ("data.load", "from mlpcli.training import run", "data imports training"),
        ("data.load", "from mlpcli.nn import optimizers", "data imports nn"),
        ("data.readers.idx", "from mlpcli.data import encoding", "data imports data"),
        ("config.load", "if TYPE_CHECKING:\n    from mlpcli.data.dataset import x",
         "config imports data"),
        ("errors", "from mlpcli import atomic", "errors imports atomic"),
        ("training.loop", "from mlpcli.checkpoint import store", "training imports checkpoint"),
        ("evaluation.gates", "from mlpcli.prediction import outputs",
         "evaluation imports prediction"),
        ("model", "from mlpcli import cli", "model imports cli"),
        ("cli.main", "import numpy as np", "cli.main imports numpy"),
        ("config.load", "import numpy as np", "config.load imports numpy"),
        ("model", "from tqdm import tqdm", "model imports tqdm"),
        ("training.loop", "import click", "training.loop imports click"),
        ("training.step", "import numba", "training.step imports numba"),
        ("data.readers.idx", "import requests", "data.readers.idx imports requests"),
        ("model", "import yaml", "model imports yaml"),
        ("data.readers.npy", "import pickle", "pickle runs what it reads"),
        ("data.readers.npy", "np.load(p, allow_pickle=True)",
         "line 1: allow_pickle is not False"),
        ("data.readers.npy", "np.load(p, allow_pickle=yes)", "line 1: allow_pickle is not False"),
        ("checkpoint.format", "import numpy as np\nnp.load(p)",
         "line 2: a checkpoint is read by load"),
        ("checkpoint.store", "npy.read_array(f)", "line 1: a checkpoint is read by read_array"),
    ],
)  # fmt: skip
def test_the_checker_catches(module, source, found):
    """Negative control: each planted breach is found."""
    assert violations(module, source) == [found]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("nn.backprop", "import numpy as np\nfrom mlpcli.nn.network import Network"),
        ("checkpoint.store", "from mlpcli import __version__, atomic"),
        ("cli.train", "def f():\n    from tqdm import tqdm\n    from mlpcli import model"),
        ("data.load", "from mlpcli.config.schema import Experiment"),
        ("data.readers.idx", "from mlpcli.data.readers import table"),
        ("data.readers.npy", "np.load(p, allow_pickle=False)"),
    ],
)
def test_the_checker_allows(module, source):
    """What the design allows is not found fault with."""
    assert violations(module, source) == []
