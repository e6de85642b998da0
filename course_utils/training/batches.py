"""Which examples make up the batch of a step, and with which seed: functions of (seed, step) alone.

So nothing of it needs to be saved: a run that goes on at step t draws what a run that never stopped would draw there.
"""

import hashlib

import torch


def step_seed(seed, step, rank=0):
    """The seed of all randomness in a step (noise, dropout), an int below 2⁶³; another one on each process."""
    digest = hashlib.blake2b(f"{seed} {step} {rank}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class Batches:
    """``batches(step)`` gives the indices of the examples of a step: each epoch is a new permutation of all n.

    What does not fill a batch at the end of an epoch is left for the next one's permutation.

    Parameters
    ----------
    n : int, number of examples
    batch_size : int, over all processes
    seed : int
    rank, world : this process and the number of processes; each takes its own part of every batch

    Raises
    ------
    ValueError
        If there are fewer examples than a batch needs, or the batch can't be shared out evenly.
    """

    def __init__(self, n, batch_size, seed, rank=0, world=1):
        if n < batch_size:
            raise ValueError(f"batch_size must be at most the number of examples, {n}; got {batch_size}.")
        if batch_size % world:
            raise ValueError(f"batch_size must be a multiple of the number of processes, {world}; got {batch_size}.")
        self.n, self.batch_size, self.seed = n, batch_size, seed
        self.rank, self.share = rank, batch_size // world
        self.per_epoch = n // batch_size
        self._epoch = None

    def __call__(self, step):
        """Indices of this process's part of the batch, (batch_size / world,) of int64."""
        epoch, position = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(step_seed(self.seed, epoch, rank=2**31))  # no process has it
            self._order, self._epoch = torch.randperm(self.n, generator=generator), epoch
        start = position * self.batch_size + self.rank * self.share
        return self._order[start : start + self.share]
