"""Data other than those of the training, as a command line names them."""

from pathlib import Path
from typing import NamedTuple

from mlpcli.config.data_files import ColumnRef, Files


class Written(NamedTuple):
    """How another table than that of the training is written, where it differs."""

    decimal: str | None = None
    delimiter: str | None = None

    def like(self, files: Files | None) -> Files:
        """Return how to read it, where all else is as in training."""
        files = files or Files()
        if self.delimiter is not None:
            files = files._replace(delimiter=self.delimiter)
        if self.decimal is None or self.decimal == files.point:
            return files
        # 1.234,5 becomes 1,234.5.
        swapped = files.point if files.thousands == self.decimal else files.thousands
        return files._replace(decimal=self.decimal, thousands=swapped)


class EvaluationData(NamedTuple):
    """Which labelled examples a model is evaluated on."""

    data_dir: Path
    """The folder that has one sub-folder per downloaded dataset."""
    split: str = "test"
    """`train` or `test`, of the model's own data."""
    file: Path | None = None
    """A file of labelled examples, instead."""
    target: ColumnRef | None = None
    """Where that has its targets (None: where the training file had them)."""
    written: Written = Written()
    """How that is written."""
