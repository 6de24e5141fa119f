"""The `counterfeit-risk` command: registers the stages, sets up logging, and turns errors into one message.

A command imports heavy libraries when it runs, so that help is quick and scoring loads no torch.
"""

import logging
import os
import signal
import sys

import typer
from rich.console import Console
from rich.logging import RichHandler

from counterfeit_risk.cli import notice, queue, store
from counterfeit_risk.cli.audit import audit
from counterfeit_risk.cli.demo import demo
from counterfeit_risk.cli.evaluate import evaluate
from counterfeit_risk.cli.explain import explain
from counterfeit_risk.cli.export import export
from counterfeit_risk.cli.labels import labels
from counterfeit_risk.cli.market import market
from counterfeit_risk.cli.progress import is_terminal
from counterfeit_risk.cli.promote import promote
from counterfeit_risk.cli.score import score
from counterfeit_risk.cli.split import split
from counterfeit_risk.cli.train import train
from counterfeit_risk.errors import CounterfeitRiskError

app = typer.Typer(
    help="From marketplace listings to a calibrated counterfeit risk and a takedown queue that people work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (market, audit, split, labels, train, evaluate, promote, export, score, explain, demo):
    app.command()(command)
app.add_typer(queue.app, name="queue")
app.add_typer(notice.app, name="notice")
app.add_typer(store.app, name="store")


def main() -> None:
    """Runs a command and exits with 0 done, 1 the work failed, 2 bad settings or arguments."""
    # threads that wait by spinning make training many times slower as soon as another process wants a core
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _configure_logging()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a run ends as what it became
    try:
        app()
    except CounterfeitRiskError as error:
        _fail(str(error), error.exit_status)
    except ModuleNotFoundError as error:
        _fail(f"this command needs {error.name}, which is not installed: pip install 'counterfeit-risk[train]'", 2)
    except OSError as error:
        # a full disk, a folder without permission: the file system's own words say it best
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted", 130)


def _configure_logging() -> None:
    if is_terminal():
        handler: logging.Handler = RichHandler(console=Console(stderr=True), show_path=False, show_level=False)
        logging.basicConfig(level=logging.WARNING, format="%(message)s", datefmt="[%X]", handlers=[handler])
    else:
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("counterfeit_risk").setLevel(logging.INFO)
    # Lightning sets the level of its own root when it is imported, but not that of what speaks below it
    for chatty in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric.utilities.rank_zero"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # these set up their own logging when they are imported, from the environment
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def _fail(message: str, status: int) -> None:
    typer.echo(f"counterfeit-risk: {message}", err=True)
    sys.exit(status)
