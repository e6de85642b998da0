"""A recipe made ready for a configuration: model, data, losses, optimisers, and one update of them all."""

import contextlib

import torch

from .batches import Batches, step_seed


class Task:
    """What a recipe says, built.

    Parameters
    ----------
    recipe : module or object with ``model``, ``data``, ``loss`` (or ``losses``), ``optimiser`` and perhaps
        ``prepare``, ``schedule``, ``evaluate`` and ``diagnose``; see ``course_utils.recipes``
    config : course_utils.training.config.Config
    source : str or None, what ``data`` reads
    processes : course_utils.training.processes.Processes

    Attributes
    ----------
    model : torch.nn.Module
    train_set, test_set : what ``data`` gave
    optimisers : list of torch.optim.Optimizer
    names : list of str, the losses that are trained
    """

    def __init__(self, recipe, config, source, processes):
        for name in ("model", "data", "optimiser"):
            if not hasattr(recipe, name):
                raise ValueError(f"the recipe {recipe.__name__} must have {name}(…): see help(course_utils.recipes).")
        self.recipe, self.config, self.processes = recipe, config, processes
        with torch.random.fork_rng([]):  # initial weights are drawn on the CPU, the same for every device
            torch.default_generator.manual_seed(config.seed)
            self.model = recipe.model(config).to(processes.device)
            self.train_set, self.test_set = recipe.data(config, source)
            if hasattr(recipe, "start"):
                recipe.start(self.model, self.train_set, config)
        self.batches = Batches(len(self.train_set), config.batch_size, config.seed, processes.rank, processes.world)
        self.generator = torch.Generator(processes.device)
        losses = getattr(recipe, "losses", None) or {"loss": getattr(recipe, "loss", None)}
        self.names = list(losses)
        self._prepare = getattr(recipe, "prepare", lambda model, batch, generator: batch)
        if not all(callable(loss) for loss in losses.values()):
            raise ValueError(f"the recipe {recipe.__name__} must have loss(…), or losses, a dictionary of functions.")
        optimisers = recipe.optimiser(self.model, config)
        if not isinstance(optimisers, dict):
            optimisers = {self.names[0]: optimisers}
        if set(optimisers) != set(losses):
            raise ValueError(f"optimiser must give one for each of {list(losses)}; got {list(optimisers)}.")
        self._phases = [self._phase(losses[name], optimisers[name]) for name in self.names]
        self.optimisers = [optimiser for phase in self._phases for optimiser in phase[1]]
        schedule = getattr(recipe, "schedule", None)
        self.schedules = [schedule(optimiser, config) for optimiser in self.optimisers] if schedule else []

    def _phase(self, loss, optimisers):
        """(loss function of batch and generator, its optimisers, the parameters they move)."""
        optimisers = [optimisers] if isinstance(optimisers, torch.optim.Optimizer) else list(optimisers)
        parameters = [p for o in optimisers for group in o.param_groups for p in group["params"]]

        def compute(batch, generator):
            found = loss(self.model, batch, generator)
            value, metrics = found if isinstance(found, tuple) else (found, {})
            if value.ndim:
                raise ValueError(f"a loss must be one number, the mean over the batch; got shape {tuple(value.shape)}.")
            if taken := metrics.keys() & {*self.names, "step", "rate", "seconds"}:
                raise ValueError(f"a metric must have a name of its own; {', '.join(sorted(taken))} is taken.")
            return value, metrics

        return self.processes.wrap(compute, parameters), optimisers, parameters

    def update(self, step):
        """Train each loss once on the batch of this step; returns {name: 0-d tensor} of losses and other metrics."""
        device = self.processes.device
        batch = to(self.train_set[self.batches(step)], device)
        seed = step_seed(self.config.seed, step, self.processes.rank)
        # Dropout draws from torch's own generator. (torch.manual_seed, which seeds every device, takes 0.3 ms.)
        own = torch.default_generator if device.type == "cpu" else torch.cuda.default_generators[device.index]
        for generator in (own, self.generator):
            generator.manual_seed(seed)
        batch = self._prepare(self.model, batch, self.generator)
        values = {}
        for name, (compute, optimisers, parameters) in zip(self.names, self._phases, strict=True):
            for optimiser in optimisers:
                optimiser.zero_grad()
            loss, metrics = compute(batch, self.generator)
            loss.backward(inputs=parameters)  # and no one else's: a game's players share the graph
            if self.config.clip is not None:
                torch.nn.utils.clip_grad_norm_(parameters, self.config.clip)
            for optimiser in optimisers:
                optimiser.step()
            values[name] = loss.detach()
            for metric, value in metrics.items():
                values[metric] = torch.as_tensor(value, device=device).detach()
        for schedule in self.schedules:
            schedule.step()
        return values

    def evaluate(self):
        """What the recipe's ``evaluate`` finds on the test set, {name: float}; {} without one."""
        evaluate = getattr(self.recipe, "evaluate", None)
        if evaluate is None:
            return {}
        with self.resting():
            return {name: float(value) for name, value in evaluate(self.model, self.test_set, self.config).items()}

    @contextlib.contextmanager
    def resting(self):
        """The model in eval mode, and without gradients; afterwards each of its parts is in its own mode again."""
        modes = [(module, module.training) for module in self.model.modules()]  # a recipe may keep a part in eval mode
        self.model.eval()
        try:
            with torch.no_grad():
                yield self.model
        finally:
            for module, training in modes:
                module.training = training

    def diagnose(self, lines):
        """What the recipe's ``diagnose`` reads from the log, {symptom: sentence}; {} without one."""
        diagnose = getattr(self.recipe, "diagnose", None)
        return diagnose(lines, self.config) if diagnose else {}

    @property
    def rate(self):
        """The learning rate of the next step, of the first optimiser."""
        return self.optimisers[0].param_groups[0]["lr"]


def to(batch, device):
    """A tensor, or a tuple of tensors, on the device."""
    if isinstance(batch, (tuple, list)):
        return tuple(part.to(device, non_blocking=True) for part in batch)
    return batch.to(device, non_blocking=True)
