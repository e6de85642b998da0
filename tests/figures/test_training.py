"""The view of a training: by the numbers drawn and told, as it is stored, and in a kernel that is interrupted."""

import json
import types

import numpy as np
import pytest
import torch
from jupyter_client.manager import KernelManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.figures import training as draw
from course_utils.figures.interactive import VIEW
from course_utils.training.config import Config
from course_utils.training.loop import TrainingDivergedError, train
from tests.notebooks.test_refresh import nbval
from tools.notebook_rules import RULES
from tools.notebooks import read, refresh, write

HISTORY = {
    "step": np.array([10, 20, 30, 40]),
    "loss": np.array([2000.0, 10.0, 0.5, 1.0]),
    "rate": np.array([0.1, 0.05, 0.02, 0.0]),
    "seconds": np.array([1.0, 2.0, 3.0, 4.0]),
    "test loss": np.array([np.nan, 2.5, np.nan, 1.234567]),
}


class TestLosses:
    def test_draws_losses_and_measures_at_their_steps_and_neither_rate_nor_time(self):
        fig, _ = draw.losses(HISTORY)
        loss, test = fig.axes[0].lines
        np.testing.assert_array_equal(loss.get_xydata(), [[10, 2000], [20, 10], [30, 0.5], [40, 1]])
        np.testing.assert_array_equal(test.get_xydata(), [[20, 2.5], [40, 1.234567]])
        assert [text.get_text() for text in fig.axes[0].get_legend().get_texts()] == ["loss", "test loss"]

    def test_caption_tells_first_last_and_lowest(self):
        _, caption = draw.losses(HISTORY)
        assert caption == (
            "Training, from step 10 to step 40: loss from 2000 to 1 (lowest 0.5); "
            "test loss from 2.5 to 1.23 (lowest 1.23)."
        )

    @pytest.mark.parametrize(
        ("values", "scale"),
        [([5.1, 2, 1], "log"), ([4.9, 2, 1], "linear"), ([11, 5, 0], "linear"), ([11, -5, 1], "linear")],
    )
    def test_the_axis_is_logarithmic_where_that_helps(self, values, scale):
        fig, _ = draw.losses({"step": [1, 2, 3], "loss": np.array(values)})
        assert fig.axes[0].get_yscale() == scale

    def test_ticks_of_the_logarithmic_axis_are_plain_numbers_within_the_picture(self):
        fig, _ = draw.losses({"step": [1, 2, 3], "loss": np.array([30.0, 4.0, 0.5])})
        draw.png(fig)
        labels = [label for label in fig.axes[0].get_yticklabels() if label.get_window_extent().y0 > 0]
        assert {"0.5", "1", "2", "5", "10", "20"} <= {label.get_text() for label in labels}
        assert all(label.get_window_extent().x0 > 0 for label in labels)

    def test_a_single_interval_is_seen(self):
        fig, caption = draw.losses({"step": np.array([3]), "loss": np.array([7.0])})
        assert fig.axes[0].lines[0].get_marker() == "o"
        assert caption == "Training, from step 3 to step 3: loss from 7 to 7 (lowest 7)."

    def test_names_are_chosen_and_five_at_most(self):
        history = {"step": [1, 2], **{f"loss {k}": [2.0, 1.0] for k in range(7)}}
        assert [line.get_label() for line in draw.losses(history)[0].axes[0].lines] == [f"loss {k}" for k in range(5)]
        fig, _ = draw.losses(history, ["loss 6", "loss 1"])
        assert [line.get_label() for line in fig.axes[0].lines] == ["loss 6", "loss 1"]
        with pytest.raises(ValueError, match=r"at most 5 of loss 0, .*; got \['los'\]"):
            draw.losses(history, ["los"])
        with pytest.raises(ValueError, match="at most 5"):
            draw.losses(history, [f"loss {k}" for k in range(6)])

    @pytest.mark.parametrize("history", [{}, {"step": [1], "loss": [np.nan], "rate": [0.1]}])
    def test_a_history_without_a_loss_is_refused(self, history):
        with pytest.raises(ValueError, match="no losses: no interval has ended"):
            draw.losses(history)


class Watched:
    """A run that is told to a `Live` line by line, by a clock of its own."""

    def __init__(self, monkeypatch, steps=100, **options):
        self.now, self.steps, self.lines, self.bundles, self.drawn = 50.0, steps, [], [], []
        monkeypatch.setattr(draw, "time", types.SimpleNamespace(perf_counter=lambda: self.now))
        monkeypatch.setattr(draw, "publish_with", lambda widget, *bundle: self.bundles.append((widget, bundle)))
        monkeypatch.setattr(draw, "png", self.png)
        self.cost = 0.0
        self.live = draw.Live(**options)

    def png(self, fig, *, sharp=2):
        self.now += self.cost
        self.drawn.append((len(fig.axes[0].lines[0].get_xdata()), sharp))
        return b"a picture"

    def begin(self, n=0):
        """The call before the first step; the run goes on after `n` lines."""
        for _ in range(n):
            self.add(0.0)
        self.live(self.lines, self.steps)

    def add(self, seconds, loss=2.0):
        self.now += seconds
        self.lines.append({"step": 10 * (len(self.lines) + 1), "loss": loss, "rate": 0.01, "seconds": 0.0})

    def line(self, seconds, stopped=(), **numbers):
        self.add(seconds, **numbers)
        self.live(self.lines, self.steps, *stopped)


@pytest.fixture
def run(monkeypatch):
    return Watched(monkeypatch)


class TestLive:
    def test_tells_step_loss_rate_speed_and_time_left(self, run):
        run.begin()
        assert run.live.text.value == "step 0 of 100"
        run.line(4.0, loss=1.2345)
        assert (run.live.bar.value, run.live.bar.max) == (10, 100)
        assert run.live.text.value == "step 10 of 100, loss 1.23, rate 0.01, 2.5 steps/s, 36 s left"
        assert run.live.bar.tooltip == run.live.text.value

    def test_tells_the_last_test_loss_until_there_is_a_new_one(self, run):
        run.begin()
        run.add(1.0)
        run.lines[0]["test loss"] = 4.0
        run.line(1.0)  # which has none
        assert run.live.text.value == "step 20 of 100, loss 2, rate 0.01, test loss 4, 10 steps/s, 8 s left"
        run.line(1.0)
        run.add(1.0)
        run.lines[-1]["test loss"] = 3.0
        run.live(run.lines, run.steps)
        assert "loss 2, rate 0.01, test loss 3, 10 steps/s" in run.live.text.value

    def test_a_run_that_goes_on_counts_its_own_steps_only(self, run):
        run.begin(5)
        run.line(4.0)
        assert run.live.text.value.startswith("step 60 of 100")
        assert run.live.text.value.endswith("16 s left")

    def test_is_displayed_once_a_run(self, run):
        run.begin()
        run.line(1.0)
        run.line(1.0)
        first = run.live.box
        assert run.bundles == [(first, ({"text/plain": draw.LABEL}, {}))]
        run.lines = []  # of another run
        run.begin()
        assert [widget for widget, _ in run.bundles] == [first, run.live.box]
        assert run.live.box is not first
        assert run.live.bar.value == 0

    def test_renews_bar_and_picture_twice_a_second_at_most(self, run):
        run.steps = 10_000
        run.begin()
        values = []
        for _ in range(100):
            run.line(0.1)
            values.append(run.live.bar.value)
        # ten seconds: 20 each, and one less where tenths do not add up
        assert 18 <= len(set(values)) <= 21
        assert 18 <= len(run.drawn) <= 20

    def test_drawing_takes_a_twentieth_of_the_time_at_most(self, run):
        run.steps, run.cost = 100_000, 0.2
        run.begin()
        began = run.now
        while run.now - began < 60:
            run.line(0.1)
        assert 0.03 < run.cost * len(run.drawn) / (run.now - began) <= 0.05

    def test_the_last_picture_is_whole_and_sharp_whenever_it_comes(self, run):
        run.begin()
        assert run.live.image.layout.display == "none"
        for _ in range(10):
            run.line(0.01)
        assert run.drawn == [(10, 2)]
        assert run.live.image.value == b"a picture"
        assert (run.live.image.layout.display, run.live.image.layout.width) == (None, "768px")
        assert run.live.image.tooltip.startswith("Training, from step 10 to step 100: loss from 2 to 2")
        assert run.live.bar.bar_style == "success"
        assert run.live.text.value == "step 100 of 100, loss 2, rate 0.01, done in 0 s"

    def test_while_it_runs_the_picture_is_coarse(self, run):
        run.begin()
        run.line(1.0)
        assert run.drawn == [(1, 1)]

    @pytest.mark.parametrize(
        ("reason", "words"), [("SIGINT", "the stop button (SIGINT)"), ("SIGTERM", "SIGTERM"), ("OSError", "OSError")]
    )
    def test_says_in_words_that_it_was_stopped(self, run, reason, words):
        run.begin()
        run.line(0.01, stopped=(reason,))
        assert run.live.text.value == (
            f"step 10 of 100, loss 2, rate 0.01, stopped by {words}; the model is as the last step left it"
        )
        assert run.live.bar.bar_style == "warning"
        assert run.drawn == [(1, 2)]

    def test_may_be_stopped_before_the_first_line(self, run):
        run.begin()
        run.live(run.lines, run.steps, "SIGINT")
        assert run.live.text.value == (
            "step 0 of 100, stopped by the stop button (SIGINT); the model is as the last step left it"
        )
        assert run.drawn == []

    def test_a_picture_that_fails_is_told_and_ends_no_training(self, monkeypatch):
        run = Watched(monkeypatch, names=["<l>"])
        run.begin()
        run.line(1.0)
        assert "(no picture: ValueError: names must be at most 5 of loss; got [&#x27;&lt;l&gt;&#x27;])" in (
            run.live.text.value
        )
        run.line(1.0)
        assert run.live.bar.value == 20

    def test_draws_the_names_that_were_asked_for(self, monkeypatch):
        run = Watched(monkeypatch, names=["rest"])
        run.begin()
        run.lines.append({"step": 10, "loss": 2.0, "rest": 3.0, "rate": 0.1, "seconds": 0.0})
        run.lines.append({"step": 20, "loss": 2.0, "rest": 1.0, "rate": 0.1, "seconds": 0.0})
        run.now += 1
        run.live(run.lines, run.steps)
        assert run.live.image.tooltip == "Training, from step 10 to step 20: rest from 3 to 1 (lowest 1)."


@pytest.mark.parametrize(
    ("value", "words"), [(0.001234, "0.00123"), (1.0, "1"), (12345.6, "12346"), (2e6, "2e+06"), (-1234.5, "-1234")]
)
def test_numbers_have_three_digits_or_all_before_the_point(value, words):
    assert draw._number(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (119.4, "119 s"), (119.6, "2 min"), (150, "2 min"), (7199, "119 min"), (7201, "2 h 0 min")],
)
def test_durations_are_told_at_a_glance(seconds, words):
    assert draw._duration(seconds) == words


# --- with the loop itself


def least_squares(loss=None):
    """A recipe of one number, which is fitted to 3."""
    return types.SimpleNamespace(
        __name__="least_squares",
        model=lambda config: torch.nn.Linear(1, 1, bias=False),
        data=lambda config, source: (torch.ones(8, 1), torch.ones(2, 1)),
        loss=loss or (lambda model, batch, generator: ((model(batch) - 3) ** 2).mean()),
        optimiser=lambda model, config: torch.optim.SGD(model.parameters(), lr=config.rate),
        evaluate=lambda model, test_set, config: {"test loss": ((model(test_set) - 3) ** 2).mean()},
    )


def test_the_loop_tells_its_lines_to_the_end(displayed):
    live = draw.Live()

    def display():
        trained = train(least_squares(), Config(steps=95, batch_size=4, rate=0.1), watch=live, save_every=50)
        fig, caption = draw.losses(trained.history)
        assert live.image.tooltip == caption
        assert live.image.value == draw.png(fig)

    ((data, metadata),) = displayed(display)
    assert data == {
        VIEW: {"version_major": 2, "version_minor": 0, "model_id": live.box.model_id},
        "text/plain": draw.LABEL,
    }
    assert metadata == {}
    assert live.bar.value == live.bar.max == 95


def test_a_run_that_diverges_is_told_by_the_name_of_its_error(displayed):
    live = draw.Live()

    def explode(model, batch, generator):
        weight = model(batch)
        return (weight / torch.zeros_like(weight)).sum()

    def display():
        with pytest.raises(TrainingDivergedError):
            train(least_squares(explode), Config(steps=90, batch_size=4), watch=live)

    displayed(display)
    assert "stopped by TrainingDivergedError" in live.text.value
    assert live.bar.bar_style == "warning"


# --- in a kernel

TRAIN = """
from course_utils.figures.training import Live, losses
from course_utils.recipes import autoencoder
from course_utils.training.loop import train

trained = train(autoencoder, autoencoder.Config(steps={steps}), watch=Live(), save_every=20)
"""


@pytest.mark.slow
def test_stored_it_is_one_line_and_the_same_in_every_run(tmp_path):
    path = tmp_path / "one.ipynb"
    cells = [
        new_markdown_cell("# One"),
        new_code_cell(TRAIN.strip().format(steps=60)),
        new_code_cell("print(trained.history['step'], trained.stopped)"),
    ]
    write(path, new_notebook(cells=cells))
    assert refresh(path).endswith("written")
    before = path.read_bytes()
    assert refresh(path, force=True).endswith("nothing changed")
    assert path.read_bytes() == before
    nb = read(path)
    (output,) = nb.cells[1].outputs
    assert output.data == {"text/plain": draw.LABEL}
    assert nb.cells[2].outputs[0].text == "[10 20 30 40 50 60] None\n"
    assert [complaint for rule in RULES for complaint in rule(nb)] == []
    status, report = nbval(path)
    assert status == 0, report
    assert "2 passed" in report


@pytest.fixture
def kernel():
    """A kernel that runs cells, and its client."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def told_while_running(client, code):
    """Run a cell; yields each message that it sends until it has ended."""
    request = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") == request:
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return
            yield message["msg_type"], message["content"]


@pytest.mark.slow
def test_the_stop_button_leaves_a_usable_model_and_its_history(kernel):
    manager, client = kernel
    texts, bars, kinds, interrupted = [], [], set(), False
    for kind, content in told_while_running(client, TRAIN.format(steps=1_000_000)):
        kinds.add(kind)
        if kind != "comm_msg":
            continue
        state = content["data"].get("state", {})
        bars += [state["value"]] if isinstance(state.get("value"), int) else []
        texts += [state["value"]] if isinstance(state.get("value"), str) else []
        if len(bars) >= 3 and not interrupted:  # it has been redrawn while the cell runs
            interrupted = True
            manager.interrupt_kernel()
    assert "error" not in kinds
    assert "stream" not in kinds
    assert sorted(set(bars)) == bars
    assert "steps/s" in texts[-2]
    assert texts[-1].endswith("stopped by the stop button (SIGINT); the model is as the last step left it")
    ask = """
import json
import torch
digit = torch.rand(3, 64, generator=torch.Generator().manual_seed(0))
fig, caption = losses(trained.history)
print(json.dumps({
    "stopped": trained.stopped,
    "step": trained.step,
    "last": int(trained.history["step"][-1]),
    "loss": trained.history["loss"].tolist(),
    "reconstruction": trained.model(digit).tolist(),
    "caption": caption,
}))
"""
    ((kind, content),) = [m for m in told_while_running(client, ask) if m[0] in ("stream", "error")]
    assert kind == "stream", content
    told = json.loads(content["text"])
    assert told["stopped"] == "SIGINT"
    assert bars[-1] == told["last"] == told["step"] < 1_000_000
    assert len(told["loss"]) == -(-told["step"] // 10)
    assert np.isfinite(told["loss"]).all()
    assert told["loss"][-1] < told["loss"][0]
    assert np.shape(told["reconstruction"]) == (3, 64)
    assert np.isfinite(told["reconstruction"]).all()
    assert told["caption"].startswith("Training, from step 10 to step")
