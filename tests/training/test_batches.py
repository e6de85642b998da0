"""Which examples come when: permutations, shared out between processes, from (seed, step) alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.training.batches import Batches, step_seed

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda sizes: st.tuples(st.integers(sizes[0] * sizes[1], 200), st.just(sizes[0]), st.just(sizes[1]))
)  # (examples, examples for each process, processes)
SEEDS = st.integers(0, 2**63 - 1)


@given(SIZES, SEEDS)
def test_an_epoch_has_each_example_once(sizes, seed):
    n, share, world = sizes
    batches = Batches(n, share * world, seed)
    for epoch in range(3):
        steps = range(epoch * batches.per_epoch, (epoch + 1) * batches.per_epoch)
        seen = torch.cat([batches(step) for step in steps])
        assert len(seen) == n // (share * world) * share * world
        assert len(set(seen.tolist())) == len(seen)
        assert seen.min() >= 0
        assert seen.max() < n


def test_each_epoch_has_an_order_of_its_own_and_every_example_comes():
    batches = Batches(50, 8, seed=0)
    epochs = [torch.cat([batches(6 * epoch + i) for i in range(6)]).tolist() for epoch in range(20)]
    assert len(set(map(tuple, epochs))) == 20
    assert set().union(*epochs) == set(
        range(50)
    )  # those two that are left over in one epoch have their turn in another
    firsts = [Batches(50, 8, seed)(0).tolist() for seed in range(20)]
    assert len(set(map(tuple, firsts))) == 20


@given(SIZES, SEEDS, st.integers(0, 1000))
def test_processes_share_out_the_batch_of_one_process(sizes, seed, step):
    n, share, world = sizes
    parts = [Batches(n, share * world, seed, rank, world)(step) for rank in range(world)]
    assert [len(part) for part in parts] == [share] * world
    assert torch.cat(parts).tolist() == Batches(n, share * world, seed)(step).tolist()


@given(st.permutations(range(30)))
def test_a_batch_depends_on_its_step_and_on_nothing_before(steps):
    batches = Batches(23, 4, seed=5)
    for step in steps:
        assert batches(step).tolist() == Batches(23, 4, seed=5)(step).tolist()


def test_seeds_differ_in_each_of_their_parts_and_are_the_same_everywhere():
    seeds = [step_seed(seed, step, rank) for seed in range(8) for step in range(8) for rank in (0, 1, 2, 3, 2**31)]
    assert len(set(seeds)) == len(seeds)
    assert all(isinstance(seed, int) and 0 <= seed < 2**63 for seed in seeds)
    # The same on every machine and in every version, or a resumed run would go on with other data.
    assert step_seed(0, 0) == 5842066033578894005
    assert step_seed(3, 1000, 1) == 4994117299511635026


def test_the_order_of_the_data_has_nothing_to_do_with_the_noise_of_a_step():
    noise = torch.Generator().manual_seed(step_seed(0, 0))  # the first epoch's number is the first step's
    assert Batches(50, 50, seed=0)(0).tolist() != torch.randperm(50, generator=noise).tolist()


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"batch_size must be at most the number of examples, 7; got 8\."):
        Batches(7, 8, seed=0)
    with pytest.raises(ValueError, match=r"batch_size must be a multiple of the number of processes, 3; got 8\."):
        Batches(100, 8, seed=0, rank=0, world=3)
    assert sorted(Batches(8, 8, seed=0)(0).tolist()) == list(range(8))
