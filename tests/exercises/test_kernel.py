"""check, hint and quiz in a real kernel: what is stored in a notebook, and the Stop button."""

import os

import pytest
from jupyter_client.manager import KernelManager


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A function that runs code in a kernel, interrupts it once it has printed `stop_at`, and returns its outputs."""
    manager = KernelManager(kernel_name="python3")
    folder = str(tmp_path_factory.mktemp("progress"))
    manager.start_kernel(env=os.environ | {"COURSE_PROGRESS": folder})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(code, stop_at=None):
        outputs = []
        request = client.execute(code)
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
            if message["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                outputs.append((message["msg_type"], message["content"]))
            if stop_at and stop_at in message["content"].get("text", ""):
                manager.interrupt_kernel()
        return outputs

    run(
        "from course_utils.exercises import check, hint, quiz\n"
        "from course_utils.exercises.engine import interface\n"
        "from course_utils.exercises.engine.catalogue import Catalogue\n"
        "interface.COURSE = Catalogue('tests.exercises.example_course')"
    )
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_verdict_is_one_bundle_and_prints_reach_the_cell(kernel):
    outputs = kernel(
        "import numpy as np, warnings\n"
        "def rows(x):\n"
        "    print('in rows')\n"
        "    warnings.warn('never on stderr')\n"
        "    return np.log(0 * x).sum(axis=1)\n"
        "check('sums.rows', rows)"
    )
    assert {kind for kind, _ in outputs} == {"stream", "display_data"}
    streams = [content for kind, content in outputs if kind == "stream"]
    assert {content["name"] for content in streams} == {"stdout"}
    assert "".join(content["text"] for content in streams) == "in rows\n" * 2
    (verdict,) = [content["data"] for kind, content in outputs if kind == "display_data"]
    assert sorted(verdict) == ["text/html", "text/plain"]
    assert verdict["text/plain"].startswith("✗ Not right yet: Row sums (`sums.rows`)\n")
    assert "is infinite in 2 of 2 places" in verdict["text/plain"]


def test_the_line_of_an_exception_is_that_of_the_cell(kernel):
    outputs = kernel("def rows(x):\n    # a comment\n    return x.sums(axis=1)\n\ncheck('sums.rows', rows)")
    text = outputs[0][1]["data"]["text/plain"]
    assert "in line 3 of its cell (`rows`): `return x.sums(axis=1)`." in text
    assert "ipykernel" not in text


def test_a_helper_from_another_cell(kernel):
    kernel("def helper(x):\n    return x[:, 99]")
    outputs = kernel("check('sums.rows', lambda x: helper(x))")
    assert "line 2 of its cell (`helper`): `return x[:, 99]`" in outputs[0][1]["data"]["text/plain"]


def test_a_quiz_is_one_bundle_with_text_for_where_widgets_are_not(kernel):
    outputs = kernel("quiz('sums')")
    ((kind, content),) = outputs
    assert kind == "display_data"
    assert sorted(content["data"]) == ["application/vnd.jupyter.widget-view+json", "text/html", "text/plain"]
    assert "c) undefined" in content["data"]["text/plain"]


def test_the_stop_button_ends_the_answer_and_shows_an_interrupt(kernel):
    code = "def rows(x):\n    print('running')\n    while True:\n        pass\ncheck('sums.rows', rows)"
    kind, error = kernel(code, stop_at="running")[-1]
    assert (kind, error["ename"]) == ("error", "KeyboardInterrupt")
    traceback = "".join(error["traceback"])
    assert "sandbox.py" not in traceback
    assert "judge.py" not in traceback
    outputs = kernel(
        "import threading\n"
        "assert not [thread for thread in threading.enumerate() if thread.name == 'exercise']\n"
        "check('sums.rows', lambda x: x.sum(axis=1))"
    )
    ((_, verdict),) = outputs
    assert "✓ Right" in verdict["data"]["text/plain"]
