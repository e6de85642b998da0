"""One process or many: what `torchrun` starts finds its place here, and gradients are averaged by torch's own DDP."""

import atexit
import contextlib
import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

CPU = torch.device("cpu")


class ProcessLostError(RuntimeError):
    """Another process of the job has ended, or can't be reached any more."""


@dataclass(frozen=True)
class Processes:
    """The place of a process in its job.

    Attributes
    ----------
    rank : int, 0 … world − 1; rank 0 alone writes
    world : int, the number of processes
    device : torch.device
    restarts : int, how often `torchrun --max-restarts` has started the job again
    store : torch.distributed.Store or None, the notes that the processes of a job share
    """

    rank: int = 0
    world: int = 1
    device: torch.device = CPU
    restarts: int = 0
    store: distributed.Store | None = None

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

    def where(self, flag):
        """The ranks on which it is true."""
        if self.world == 1:
            return [0] if flag else []
        flags = [torch.zeros(1, device=self.device) for _ in range(self.world)]
        distributed.all_gather(flags, torch.tensor([float(flag)], device=self.device))
        return [rank for rank, one in enumerate(flags) if one.item()]

    def first(self, compute):
        """What ``compute()`` gives on rank 0, any object, on every process; what it raises there, it raises on each."""
        if self.world == 1:
            return compute()
        outcome = [None, None]
        if self.writes:
            try:
                outcome[0] = compute()
            except Exception as error:
                outcome[1] = error
        distributed.broadcast_object_list(outcome, src=0)
        if outcome[1] is not None:
            raise outcome[1]
        return outcome[0]

    def tell(self, error):
        """Print an error; where several processes meet the same one, the first prints it."""
        if self.store is not None:
            if not isinstance(error, ProcessLostError):  # torchrun's report ends with the cause, not with what followed
                _note_for_torchrun(f"{error}")
            try:
                if self.store.add(f"told/{error}", 1) > 1:
                    return
            except distributed.DistError:  # its keeper is gone
                pass
        print(f"{error}", file=sys.stderr)


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
        For another device, or "cuda" where there is none; or where torchrun could not restart the job.
    ProcessLostError
        In place of what the engine raises when another process has ended.
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
    restarts = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
    # torchrun keeps one store for all attempts, and in it the addresses of processes that are gone. An attempt has its
    # own part of the store; but on several machines each torchrun counts the attempts alone, and they come to differ.
    shared = os.environ["TORCHELASTIC_USE_AGENT_STORE"] == "True"
    if shared and int(os.environ["GROUP_WORLD_SIZE"]) > 1 and int(os.environ["TORCHELASTIC_MAX_RESTARTS"]) > 0:
        raise ValueError(
            "torchrun --max-restarts on several machines needs --rdzv-backend=c10d and the environment variable "
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1, or a restart may wait for ever: see docs/cluster.md."
        )
    try:
        store, rank, world = next(distributed.rendezvous("env://"))
        if shared:
            store = distributed.PrefixStore(f"attempt-{restarts}", store)
        distributed.init_process_group("nccl" if gpu else "gloo", store=store, rank=rank, world_size=world)
        yield Processes(rank, world, place, restarts, store)
    except RuntimeError as error:
        if not isinstance(error, distributed.DistError) and "/gloo/transport/" not in str(error):
            raise
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun's; this process ends by itself, and says why
        lost = "another process of this job has ended, or can't be reached, so this one stops too"
        raise ProcessLostError(lost) from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def leave(status):
    """End this process with that exit status; where torchrun has started it, without taking Python down.

    gloo's threads may still hold tensors then, and abort the process, now and then, after all its work is done
    (pytorch/pytorch#179291).
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        atexit._run_exitfuncs()  # a recipe's own farewell
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _note_for_torchrun(text):
    """Have the report that torchrun prints at the end say why this process failed."""
    if path := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        more = {"py_callstack": text, "timestamp": str(int(time.time()))}
        with contextlib.suppress(OSError), open(path, "w", encoding="utf-8") as file:
            json.dump({"message": {"message": text, "extraInfo": more}}, file)
