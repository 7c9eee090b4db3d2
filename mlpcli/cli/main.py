"""The `mlp` group: subcommands found when asked for, and errors turned into exit codes."""

import io
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

import click

from mlpcli import __version__, signals
from mlpcli.errors import ConfigError, Interrupted, MlpError, did_you_mean, one_line, os_reason

# What `mlp --help` says of each; its module is imported when it is asked for.
COMMANDS = {
    "check": "Look for mistakes in a configuration and its data.",
    "compare": "Compare runs by setting, over their seeds.",
    "convert": "Make a checkpoint of the weights that the article's code pickled.",
    "download": "Fetch a dataset, verify it, and keep it.",
    "evaluate": "Evaluate a checkpoint, and hold it to quality gates.",
    "export": "Write a model as ONNX, C or Python.",
    "init": "Write a commented configuration for your data.",
    "plot": "Draw a run, a network, data or mistakes.",
    "predict": "Print the class of every example.",
    "report": "Write a page on a checkpoint, with the network itself in it.",
    "show": "Show what a checkpoint holds.",
    "train": "Train a network and write its checkpoint.",
    "tune": "Search for a better configuration.",
}
# Called with the exit code where this process fails: what has to end with it.
on_failure: list[Callable[[int], None]] = []
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(click.Group):
    """Imports a subcommand's module when the subcommand is asked for, and not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's signature
        """Return the subcommands' names."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the subcommands' names and what they do."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that the arguments begin with, or offer the nearest one."""
        if args[0] not in COMMANDS:
            remedy = did_you_mean(args[0], list(COMMANDS)) or "see mlp --help"
            raise ConfigError("mlp", f"there is no command {args[0]}", remedy)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the function `NAME` of the module `cli/NAME.py`."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"mlpcli.cli.{cmd_name}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; show the traceback of a failure under --debug."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception:
            if ctx.params["debug"]:
                import traceback

                traceback.print_exc()
            raise


@click.group(
    cls=Commands,
    context_settings=CONTEXT,
    epilog="Example: mlp train configs/parity.yaml && mlp evaluate --weights parity.npy",
)
@click.version_option(__version__, prog_name="mlp")
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
def mlp(debug: bool) -> None:
    """Train multi-layer perceptrons: one YAML file in, one .npy file out."""


def main() -> NoReturn:
    """Run `mlp` and end the process."""
    try:
        # A signal may come as soon as it is noted.
        _prepare()
        _run()
    except (click.Abort, KeyboardInterrupt):
        _end_by(signal.SIGINT)
    except Interrupted as stopped:
        _end_by(signal.Signals(stopped.number))


def _run() -> NoReturn:
    """Run `mlp`: the one place where a failure becomes an exit code."""
    try:
        try:
            code = mlp.main(prog_name="mlp", standalone_mode=False)
        finally:
            # Whatever foreign code made of a signal, it was one.
            signals.check()
        _flush()
    except click.Abort:
        raise
    except MlpError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        _end(error.format_message(), error.exit_code)
    except click.ClickException as error:
        _fail(_one_line(error), error.exit_code)
    except MemoryError:
        _fail("memory: there is not enough of it; use a smaller bt_size, structure or dataset", 1)
    except OSError as error:
        name = error.filename or "input or output"
        _fail(f"{name}: {os_reason(error)}; check the path and the disk", 1)
    except Exception as error:  # noqa: BLE001 - users never see a traceback
        _fail(f"internal: {error!r}; run mlp --debug and report what it prints", 1)
    signals.uninstall()
    sys.exit(code if isinstance(code, int) else 0)


def _prepare() -> None:
    """Set how signals end the process, and what is written for what a locale cannot."""
    if hasattr(signal, "SIGPIPE"):
        # A reader that has seen enough (`mlp predict ... | head -1`) ends us as it ends cat.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signals.install()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A class or a file may have a name that the locale cannot write.
            stream.reconfigure(errors="backslashreplace")


def _one_line(error: click.ClickException) -> str:
    """Return Click's complaint in the form of ours."""
    command = "mlp"
    if isinstance(error, click.UsageError) and error.ctx:
        command = error.ctx.command_path
    problem = error.format_message().rstrip(".").replace("\n", " ")
    return f"{command}: {problem[:1].lower()}{problem[1:]}; see {command} --help"


def _fail(message: str, code: int) -> NoReturn:
    _end(f"mlp: error: {one_line(message)}", code)


def _end(text: str, code: int) -> NoReturn:
    """Say why, and end the process with an exit code."""
    signals.uninstall()
    try:
        click.echo(text, err=True)
        _flush()
    except OSError:
        _tell_others(code)
        # Nobody listens any more; the exit code still speaks.
        os._exit(code)
    _tell_others(code)
    sys.exit(code)


def _tell_others(code: int) -> None:
    for tell in on_failure:
        tell(code)


def _flush() -> None:
    """Find out now whether everything shown has arrived, not while Python shuts down."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _end_by(number: signal.Signals) -> NoReturn:
    """End the process as the signal itself would, so that a shell sees it."""
    _tell_others(128 + number)
    signal.signal(number, signal.SIG_DFL)
    if os.name != "nt":
        os.kill(os.getpid(), number)
    sys.exit(128 + number)
