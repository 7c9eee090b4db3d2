"""Train multi-layer perceptrons from a shell: one YAML file in, one safe .npy file out."""

# As mypy takes it. Nothing is imported here, not even typing: Ctrl-C comes early, see __main__.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpcli.checkpoint.store import load

__all__ = ["__version__", "load"]

__version__ = "0.1.0"


def __getattr__(name: str) -> "Any":
    """Find `load` when it is asked for: importing mlpcli alone does not import NumPy."""
    if name == "load":
        from mlpcli.checkpoint.store import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
