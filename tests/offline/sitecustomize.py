"""Python imports this at start wherever this folder is on PYTHONPATH, where conftest.py puts it."""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

import no_network

no_network.install()

# This file hides any other sitecustomize that would have been imported; run that one too.
here = os.path.dirname(os.path.abspath(__file__))
elsewhere = [folder for folder in sys.path if os.path.abspath(folder) != here]
hidden = PathFinder.find_spec("sitecustomize", elsewhere)
if hidden is not None:
    hidden.loader.exec_module(module_from_spec(hidden))
