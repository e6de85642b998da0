"""Long runs and sweeps, stored as ``data/results/NAME.json`` and drawn by the lessons, which say so.

``python -m course_utils.experiments NAME`` runs one and stores it; without a name it lists them. An experiment is a
module here with

- ``CONFIG``: a dictionary of all that decides the numbers, ``seeds`` (how many, counted from 0) among them;
- ``run(config, report)``: computes and returns a dictionary of plain lists, ``report`` prints a line of progress; each
  seed's numbers depend on that seed alone, so that a run with two seeds repeats the first two of the stored ones.
"""
