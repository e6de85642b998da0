"""The multilayer perceptron that the generative networks of lessons 4 and 5 are made of."""

import itertools

from torch import nn


def mlp(sizes, activation=nn.ReLU):
    """Linear layers of these sizes with an activation between two, none after the last; None leaves all linear."""
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), *([activation()] if activation else [])]
    return nn.Sequential(*(layers[:-1] if activation else layers))
