"""One process or many: what `torchrun` starts finds its place here, and gradients are averaged by torch's own DDP."""

import contextlib
import os
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Processes:
    """The place of a process in its job.

    Attributes
    ----------
    rank : int, 0 … world − 1; rank 0 alone writes
    world : int, the number of processes
    device : torch.device
    restarts : int, how often `torchrun --max-restarts` has started the job again
    """

    rank: int = 0
    world: int = 1
    device: torch.device = CPU
    restarts: int = 0

    @property
    def writes(self):
        """Whether this is the process that writes log, checkpoints and messages."""
        return self.rank == 0

    def wrap(self, loss, parameters):
        """The loss function; on many processes, its gradients in these parameters become the mean over all of them."""
        if self.world == 1:
            return loss
        return DistributedDataParallel(_Loss(loss, parameters))

    def mean(self, values):
        """The mean over all processes of a tensor of numbers, the same on each."""
        if self.world > 1:
            distributed.all_reduce(values, distributed.ReduceOp.SUM)
            values /= self.world
        return values

    def any(self, flag):
        """Whether it is true on any process: so that all stop at the same step."""
        if self.world == 1:
            return flag
        flags = torch.tensor([float(flag)], device=self.device)
        distributed.all_reduce(flags, distributed.ReduceOp.MAX)
        return bool(flags.item())

    def first(self, value):
        """What rank 0 has, any object, on every process."""
        if self.world == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]


class _Loss(nn.Module):
    """A loss as a module, for DDP, which averages the gradients of a module's own parameters."""

    def __init__(self, loss, parameters):
        super().__init__()
        self.trained = nn.ParameterList(parameters)
        self._loss = loss  # holds the model; not registered, so that DDP sees only what this loss trains

    def forward(self, batch, generator):
        return self._loss(batch, generator)


@contextlib.contextmanager
def processes(device="auto"):
    """The place of this process, joined to the others where torchrun has started several, and left at the end.

    Parameters
    ----------
    device : "auto" (a GPU where there is one), "cpu" or "cuda"

    Raises
    ------
    ValueError
        For another device, or "cuda" where there is none.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device must be 'auto', 'cpu' or 'cuda'; got {device!r}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device is 'cuda', but torch finds no GPU here: use 'cpu' or 'auto'.")
    gpu = device != "cpu" and torch.cuda.is_available()
    place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if gpu else torch.device("cpu")
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield Processes(device=place)
        return
    if gpu:
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        yield Processes(
            distributed.get_rank(),
            distributed.get_world_size(),
            place,
            int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)),
        )
    finally:
        distributed.destroy_process_group()
