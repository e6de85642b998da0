"""The GAN's promise: at least 1.2 times as many steps a second as a plain loop with the same networks and game."""

import dataclasses

import pytest
import torch
from threadpoolctl import threadpool_limits

from course_utils.experiments.gan_profile import loops
from course_utils.recipes import gan

pytestmark = pytest.mark.slow


def test_steps(compare):
    config = dataclasses.replace(gan.PRESETS["digits"], gamma=0.0, steps=500)
    ours, peer = loops(config).values()
    with threadpool_limits(1):
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            compare("GAN step", ours, peer, lesson=4, against="a plain PyTorch loop", promise=1.2, rounds=9)
        finally:
            torch.set_num_threads(threads)
