"""What every training has to know, whatever the model."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The numbers of a training; a recipe adds those of its model.

    Attributes
    ----------
    steps : int, updates of the weights
    batch_size : int, examples in a step, over all processes together
    rate : float, the learning rate before its schedule
    seed : int, of initial weights, order of the data, noise and dropout
    clip : float or None, the largest Euclidean norm of all gradients together; larger ones are scaled down to it
    """

    steps: int = 1000
    batch_size: int = 64
    rate: float = 1e-3
    seed: int = 0
    clip: float | None = None

    def __post_init__(self):
        for name in ("steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}.")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be at least 0 and below 2⁶³; got {self.seed}.")
        if not self.rate > 0:
            raise ValueError(f"rate must be positive; got {self.rate}.")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"clip must be positive or None; got {self.clip}.")


def settings_of(kind, config):
    """What a recipe's configuration says of its model's: the values of the fields that the class ``kind`` has, too."""
    names = {field.name for field in dataclasses.fields(config)}
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(kind) if field.name in names}


def override(config, assignments):
    """The configuration with ``["rate=0.01", "hidden=64,32"]`` in place of its own values.

    Raises
    ------
    ValueError
        For a name that it has not, or a value that is not of its type.
    """
    types = typing.get_type_hints(type(config))
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or name not in types:
            raise ValueError(f"expected NAME=VALUE with NAME one of {', '.join(types)}; got {assignment!r}.")
        try:
            values[name] = parse(text, types[name])
        except ValueError:
            raise ValueError(f"{name} must be {described(types[name])}; got {text!r}.") from None
    return dataclasses.replace(config, **values)


def parse(text, kind):
    """A value of that type from its text: numbers, yes or no, words, "none", and tuples as "64,32"."""
    options = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return tuple(parse(part, options[0]) for part in text.split(",") if part)
    if type(None) in options:
        return None if text.lower() == "none" else parse(text, options[0])
    if kind is bool:
        return ("false", "true", "no", "yes", "0", "1").index(text.lower()) % 2 == 1
    return kind(text)


def described(kind):
    """What ``parse`` expects, in words."""
    options = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return f"{described(options[0])}, or several with commas between"
    if type(None) in options:
        return f"{described(options[0])} or none"
    return "yes or no" if kind is bool else kind.__name__
