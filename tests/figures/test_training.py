"""The view of a training: by the numbers drawn and told, in a kernel that is interrupted, and as it is stored."""

import json
import time

import jupyter_client
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_utils.figures import training as draw
from course_utils.figures.interactive import VIEW

HISTORY = {
    "step": np.array([10, 20, 30]),
    "loss": np.array([100.0, 10.0, 1.0]),
    "rate": np.array([0.1, 0.05, 0.0]),
    "seconds": np.array([1.0, 2.0, 3.0]),
    "test loss": np.array([np.nan, np.nan, 1.5]),
}


def lines(n, loss=2.0):
    return [{"step": 10 * (i + 1), "loss": loss, "rate": 0.01, "seconds": float(i)} for i in range(n)]


class TestLosses:
    def test_draws_losses_and_measures_where_they_are(self):
        fig, caption = draw.losses(HISTORY)
        (ax,) = fig.axes
        loss, test = ax.lines
        np.testing.assert_array_equal(loss.get_xydata(), [[10, 100], [20, 10], [30, 1]])
        np.testing.assert_array_equal(test.get_xydata(), [[30, 1.5]])
        assert ax.get_yscale() == "log"
        assert caption == "Training from step 10 to 30: loss 100 → 1, test loss 1.5 → 1.5."

    def test_a_loss_that_may_be_negative_has_a_linear_axis(self):
        fig, _ = draw.losses({"step": np.arange(3), "loss": np.array([5.0, -3.0, 0.1])})
        assert fig.axes[0].get_yscale() == "linear"


class TestLive:
    @pytest.fixture
    def published(self, monkeypatch):
        bundles = []
        monkeypatch.setattr(draw, "publish_with", lambda widget, data, metadata: bundles.append(data))
        return bundles

    def test_is_displayed_once_as_one_constant_line(self, published):
        live = draw.Live()
        for n in range(4):
            live(lines(n), 100)
        assert published == [{"text/plain": "[training] Live, a bar and the losses stand here."}]

    def test_tells_loss_rate_and_time_left(self, published, monkeypatch):
        clock = iter(np.arange(100, 200, 4.0))
        monkeypatch.setattr(draw.time, "monotonic", lambda: next(clock))
        live = draw.Live()
        live([], 100)
        live(lines(1, loss=1.234), 100)
        assert live.bar.value == 10
        assert live.text.value == "step 10 of 100, loss 1.23, rate 0.01, 36 s left"

    def test_a_run_that_goes_on_counts_its_own_steps_only(self, published, monkeypatch):
        clock = iter(np.arange(0, 100, 5.0))
        monkeypatch.setattr(draw.time, "monotonic", lambda: next(clock))
        live = draw.Live()
        live(lines(5), 100)
        live(lines(6), 100)
        assert "20 s left" in live.text.value

    def test_draws_rarely_and_at_the_end(self, published):
        live = draw.Live()
        drawn = []
        live._draw = drawn.append
        for n in range(10):
            live(lines(n), 100)
        assert drawn == []  # all within half a second
        live(lines(10), 100)
        assert len(drawn) == 1
        assert live.bar.bar_style == "success"

    def test_waits_twenty_times_as_long_as_it_draws(self, published):
        live = draw.Live()
        live(lines(2), 100)
        began = time.monotonic()
        live._draw(lines(3))
        took = time.monotonic() - began
        assert live._next >= began + 0.9 * took / draw.SHARE
        assert bytes(live.image.value).startswith(b"\x89PNG")

    def test_says_that_it_was_stopped(self, published):
        live = draw.Live()
        live([], 100)
        live(lines(3), 100, "SIGINT")
        assert "stopped by SIGINT; the model is as the last step left it" in live.text.value
        assert live.bar.bar_style == "warning"


TRAIN = """
from course_utils.figures.training import Live
from course_utils.recipes import autoencoder
from course_utils.training.loop import train
trained = train(autoencoder, autoencoder.Config(steps={steps}), watch=Live(), save_every=20)
"""


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


@pytest.mark.slow
def test_stored_it_is_the_same_in_every_run():
    outputs = []
    for _ in range(2):
        content = notebook(TRAIN.format(steps=40), "print(trained.history['step'], trained.stopped)")
        NotebookClient(content, timeout=120).execute()
        first, second = (cell.outputs for cell in content.cells)
        (shown,) = first  # and nothing on stderr
        assert set(shown.data) == {VIEW, "text/plain"}
        outputs.append((shown.data["text/plain"], second[0].text))
    assert (
        outputs[0]
        == outputs[1]
        == (
            "[training] Live, a bar and the losses stand here.",
            "[10 20 30 40] None\n",
        )
    )


@pytest.mark.slow
def test_an_interrupt_leaves_a_usable_model_and_its_history():
    """The stop button while a cell trains: the cell ends without a traceback, and the next one goes on."""
    manager, client = jupyter_client.manager.start_new_kernel()
    try:
        request = client.execute(TRAIN.format(steps=1_000_000))
        wait_for(client, "display_data", request)  # the view is there
        time.sleep(2)
        manager.interrupt_kernel()
        content = client.get_shell_msg(timeout=60)["content"]
        assert content["status"] == "ok", content
        reply = client.execute_interactive(
            "import json, torch\n"
            "finite = all(torch.isfinite(p).all().item() for p in trained.model.parameters())\n"
            "shape = tuple(trained.model(torch.zeros(3, 64)).shape)\n"
            "history = {k: len(v) for k, v in trained.history.items()}",
            user_expressions={"told": "json.dumps([trained.stopped, trained.step, finite, shape, history])"},
            timeout=60,
        )
        told = reply["content"]["user_expressions"]["told"]["data"]["text/plain"]
        stopped, step, finite, shape, history = json.loads(told.strip("'"))
        assert (stopped, finite, shape) == ("SIGINT", True, [3, 64])
        assert 0 < step < 1_000_000
        assert history["step"] == history["loss"] == step // 10
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def wait_for(client, kind, request):
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["msg_type"] == kind and message["parent_header"].get("msg_id") == request:
            return
