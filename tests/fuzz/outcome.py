"""What must hold of every failure."""

from mlpcli.errors import MlpError

EXIT_CODES = (1, 2)


def check_error(error: MlpError | OSError) -> str:
    """Make sure that an error is what a user can be shown: one line, in characters that print."""
    if isinstance(error, MlpError):
        line = str(error)
        assert "\n" not in line, line
        assert error.problem, line
        assert error.remedy, line
        assert error.exit_code in EXIT_CODES, line
        assert len(line) < 2000, f"{len(line)} characters: {line[:300]}"
    else:
        assert error.filename, repr(error)
    return "refused"
