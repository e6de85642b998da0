"""Train one of the course's models from the command line, and go on where a run was stopped.

  python -m course_utils.train autoencoder --out runs/digits
  python -m course_utils.train autoencoder --preset baldi-hornik-1989 --set steps=500 --out runs/pca
  python -m course_utils.train autoencoder --out runs/digits --resume
  torchrun --nproc-per-node=2 -m course_utils.train autoencoder --out runs/two

Ctrl-C, a kill or a full disk cost at most the steps since the last checkpoint: the same command with --resume goes
on, and ends with the bits of a run that was never stopped. RUN/ holds config.json, log.jsonl (a line an interval),
checkpoints/ and, at the end, model.safetensors.
"""

import argparse
import importlib
import importlib.util
import pkgutil
import signal
import sys
import warnings
from pathlib import Path

from tqdm import tqdm

import course_utils.recipes as package
from course_utils.training import checkpoints
from course_utils.training.bar import Bar
from course_utils.training.config import override
from course_utils.training.loop import RunFolderError, TrainingDivergedError, train
from course_utils.training.processes import Processes, ProcessLostError, leave, processes

RECIPES = sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def parser():
    """The command line; ``--help`` is its manual."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(["recipes:", *(f"  {name:14} {_first_line(name)}" for name in RECIPES)]),
    )
    add = parser.add_argument
    add("recipe", metavar="RECIPE", help="one of the recipes below, or the path of your own: copy one to make the next")
    add("--data", metavar="SOURCE", help="what the recipe reads; its default needs no download")
    add("--preset", metavar="NAME", help="numbers that reproduce what they are named after; a wrong one lists them all")
    add("--set", metavar="NAME=VALUE", action="append", default=[], help="change one number of the preset; repeatable")
    add("--out", metavar="RUN/", required=True, help="where checkpoints, log, configuration and weights are written")
    add("--resume", action="store_true", help="go on from the last whole checkpoint in RUN/")
    add("--log-every", type=int, default=10, metavar="N", help="steps from line to line of the log (default 10)")
    add("--save-every", type=int, default=100, metavar="N", help="steps from checkpoint to checkpoint (default 100)")
    add("--keep", type=int, default=3, metavar="K", help="checkpoints that are kept (default 3)")
    add("--device", default="auto", help="cpu, cuda, or auto: a GPU where there is one (default)")
    return parser


def find_recipe(name):
    """The recipe of that name in this course, or in the file at that path.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name in RECIPES:
        return importlib.import_module(f"{package.__name__}.{name}")
    path = Path(name)
    if path.suffix != ".py" or not path.is_file():
        raise ValueError(f"RECIPE must be one of {', '.join(RECIPES)}, or the path of a .py file; got {name!r}.")
    name = f"recipe_{path.stem}"  # a file named torch.py must not take the place of torch
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main(arguments=None):
    """Parse, train, and say in words how it ended. Returns the exit status."""
    options = parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _warn
        return _run(options)


def _run(options):
    bar, job = Bar(), Processes()
    try:
        with processes(options.device) as job:
            recipe = find_recipe(options.recipe)
            config = override(_preset(recipe, options.preset), options.set)
            trained = train(
                recipe,
                config,
                source=options.data,
                out=options.out,
                resume=options.resume or job.restarts > 0,
                watch=bar if job.writes else None,
                log_every=options.log_every,
                save_every=options.save_every,
                keep=options.keep,
                processes=job,
            )
            bar.close()
            if trained.stopped:
                if job.writes:
                    print(f"Stopped by {trained.stopped} after step {trained.step}: --resume goes on from there.")
                return 128 + getattr(signal, trained.stopped, signal.SIGTERM)
            if job.writes:
                print(f"Trained to step {trained.step}: {Path(options.out) / 'model.safetensors'}")
            return 0
    except (ValueError, RunFolderError, TrainingDivergedError, OSError) as error:
        bar.close()
        job.tell(error)
        return 1
    except ProcessLostError as error:
        bar.close()
        saved = checkpoints.found(Path(options.out) / "checkpoints")
        last = f"the last checkpoint is {saved[-1][1]}, from which --resume goes on" if saved else "none was saved yet"
        job.tell(ProcessLostError(f"Training stopped: {error}; {last}."))
        return 1
    except KeyboardInterrupt:
        bar.close()
        print("Interrupted at once: --resume goes on from the last checkpoint, or from the beginning.", file=sys.stderr)
        return 130


def _first_line(name):
    return importlib.import_module(f"{package.__name__}.{name}").__doc__.splitlines()[0]


def _preset(recipe, name):
    presets = getattr(recipe, "PRESETS", None)
    if not presets:
        raise ValueError(f"the recipe {recipe.__name__} must have PRESETS, a dictionary of name → Config.")
    if name is None:
        return next(iter(presets.values()))
    if name not in presets:
        raise ValueError(f"--preset must be one of {', '.join(presets)}; got {name!r}.")
    return presets[name]


def _warn(message, *_, **__):
    tqdm.write(f"Note: {message}", file=sys.stderr)  # above the bar


if __name__ == "__main__":
    leave(main())
