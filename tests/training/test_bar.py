"""The progress bar: loss, rate and time left, in a line."""

import re

from course_utils.training.bar import Bar

LINES = [
    {"step": 10, "loss": 2.0, "rate": 0.01, "seconds": 1.0},
    {"step": 25, "loss": 0.123456, "rate": 5e-5, "seconds": 2.0},
]


def test_its_line_has_loss_rate_and_time_left(capsys):
    bar = Bar()
    bar([], 100)
    for done in (1, 2):
        bar(LINES[:done], 100)
    bar.close()
    last = capsys.readouterr().err.strip().split("\r")[-1]
    assert re.search(r"25%.*\| 25/100 \[00:00<\d\d:\d\d, .*step/s, loss=0\.1235, rate=5e-05\]$", last)
    assert "seconds" not in last


def test_a_resumed_run_begins_where_it_was(capsys):
    bar = Bar()
    bar(LINES, 100)
    bar.close()
    told = capsys.readouterr().err.strip().split("\r")[-1]
    assert "25/100" in told
    assert "?step/s" in told  # its rate is that of the steps that it makes, not of those that were made before


def test_a_run_without_steps_closes(capsys):
    Bar().close()
    assert capsys.readouterr().err == ""
