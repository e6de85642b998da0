"""``python -m course_utils.experiments NAME``: run an experiment and store its result."""

import argparse
import importlib
import pkgutil
import time

import course_utils.experiments as package
from course_utils.experiments.results import store


def experiments():
    """Name → module of each experiment in this folder: those that have a CONFIG."""
    names = [m.name for m in pkgutil.iter_modules(package.__path__) if m.name != "__main__"]
    modules = {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "CONFIG")}


def main(arguments=None):
    """Parse the command line, run, store. Returns the file written, or None where it only listed."""
    known = experiments()
    parser = argparse.ArgumentParser(prog="python -m course_utils.experiments", description=package.__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(known), help="without it, the experiments are listed")
    name = parser.parse_args(arguments).name
    if name is None:
        for known_name, module in sorted(known.items()):
            print(f"{known_name:20} {module.__doc__.splitlines()[0]}")
        return None
    start = time.perf_counter()
    results = known[name].run(
        known[name].CONFIG, lambda line: print(f"{time.perf_counter() - start:6.0f} s  {line}", flush=True)
    )
    path = store(name, known[name].CONFIG, results, time.perf_counter() - start)
    print(f"stored {path.name} ({path.stat().st_size / 1000:.0f} kB)")
    return path


if __name__ == "__main__":
    main()
