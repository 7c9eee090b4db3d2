"""Imports point one way, and every library has its place."""

import ast
import sys

import pytest
from conftest import ROOT

# Lower layers come later; what shares a line may not import one another.
LAYERS = (
    {"__main__", "__init__"},
    {"cli"},
    {"commands"},
    {"plots"},
    {"rehearsal"},
    {"report", "gates", "predictions", "inspection", "resume"},
    {"saving"},
    {"inputs", "model", "starter"},
    {"fitting"},
    {"training"},
    {"experiment", "data", "checkpoint", "writing", "draws"},
    {"keys"},
    {"compat", "data_keys"},
    {"kinds"},
    {"nn"},
    {"errors"},
)
RANKS = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
# Who may import a library; numpy may be imported by whatever computes.
LIBRARIES = {
    "click": ("cli", "commands"),
    "tqdm": ("cli", "commands"),
    "requests": ("data.download",),
    "yaml": ("experiment",),
    "PIL": ("data.images",),
    "pyarrow": ("data.parquet",),
    "numpy": ("commands.predict", "resume", "rehearsal", "report", "predictions", "inspection",
              "model", "saving",
              "inputs", "starter", "fitting",
              "training", "data", "checkpoint", "draws", "compat",
              "nn"),
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
            if other == "__version__":
                allowed = True
            elif other not in RANKS:
                allowed = False
            elif other == part:
                allowed = part in ("commands", "data", "nn")
            else:
                allowed = RANKS[part] < RANKS[other]
            if not allowed:
                found.append(f"{part} imports {other}")
        elif top in LIBRARIES:
            if not within(module, LIBRARIES[top]):
                found.append(f"{module} imports {top}")
        elif top not in sys.stdlib_module_names:
            found.append(f"{top} is no core dependency")
        if top in ("pickle", "marshal", "shelve"):
            found.append(f"{top} runs what it reads")
    return found + [f"line {node.lineno}: {problem}" for node, problem in dangers(module, tree)]


def dangers(module, tree):
    """Yield every place where data could run code, or a checkpoint is read by np.load."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield node.value, "allow_pickle is not False"
        elif isinstance(node, ast.Attribute) and module == "checkpoint" and node.attr in READERS:
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
        ("nn.network", "from mlpcli.data import idx", "nn imports data"),
        ("nn.network", "from mlpcli import training", "nn imports training"),
        ("nn.network", "import mlpcli.cli", "nn imports cli"),
        ("nn.network", "from ..data import idx", "..data.idx is relative"),
        ("nn.network", "import scipy.special", "scipy is no core dependency"),
        ("data.idx", "def f():\n    from mlpcli import checkpoint", "data imports checkpoint"),
        ("experiment", "if TYPE_CHECKING:\n    from mlpcli.data.idx import x",
         "experiment imports data"),
        ("model", "from mlpcli import commands", "model imports commands"),
        ("cli", "import numpy as np", "cli imports numpy"),
        ("model", "from tqdm import tqdm", "model imports tqdm"),
        ("training", "import click", "training imports click"),
        ("data.idx", "import requests", "data.idx imports requests"),
        ("model", "import yaml", "model imports yaml"),
        ("data.npy", "import pickle", "pickle runs what it reads"),
        ("data.npy", "np.load(p, allow_pickle=True)", "line 1: allow_pickle is not False"),
        ("data.npy", "np.load(p, allow_pickle=yes)", "line 1: allow_pickle is not False"),
        ("checkpoint", "import numpy as np\nnp.load(p)",
         "line 2: a checkpoint is read by load"),
        ("checkpoint", "npy.read_array(f)", "line 1: a checkpoint is read by read_array"),
    ],
)  # fmt: skip
def test_the_checker_catches(module, source, found):
    """Negative control: each planted breach is found."""
    assert violations(module, source) == [found]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("nn.backprop", "import numpy as np\nfrom mlpcli.nn.network import Network"),
        ("model", "from mlpcli import __version__, checkpoint"),
        ("commands.train", "def f():\n    from tqdm import tqdm\n    from mlpcli import model"),
        ("data.npy", "np.load(p, allow_pickle=False)"),
    ],
)
def test_the_checker_allows(module, source):
    """What the design allows is not found fault with."""
    assert violations(module, source) == []
