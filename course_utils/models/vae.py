"""Autoencoders: images through a narrow latent space and back."""

import torch
from torch import nn

from .mlp import mlp


class Autoencoder(nn.Module):
    """x ≈ decode(encode(x)), with fewer latent numbers than pixels: a compression, not a density.

    With linear layers and the squared error the best it can do is principal component analysis: at the optimum the
    decoder spans the first principal components (Baldi and Hornik 1989). The deep one is that of Hinton and
    Salakhutdinov (2006). Neither says how likely an x is, nor where in the latent space to sample; the VAE does.

    Parameters
    ----------
    sizes : sequence of int, from pixels to latent, such as (64, 128, 64, 2); the decoder mirrors it
    linear : bool, leave out the activations

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one is not positive.
    """

    def __init__(self, sizes=(64, 128, 64, 2), *, linear=False):
        super().__init__()
        sizes = tuple(sizes)
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes must be at least two positive numbers, pixels … latent; got {sizes}.")
        activation = None if linear else nn.ReLU
        self.encoder = mlp(sizes, activation)
        self.decoder = mlp(sizes[::-1], activation)

    def encode(self, x):
        """x to latent, (…, pixels) → (…, latent)."""
        return self.encoder(x)

    def decode(self, z):
        """Latent to x, (…, latent) → (…, pixels)."""
        return self.decoder(z)

    def forward(self, x):
        """The reconstruction, (…, pixels) → (…, pixels)."""
        return self.decode(self.encode(x))


def squared_error(x, reconstruction):
    """Σ_j (x_j − x̂_j)², the sum over pixels: (batch, pixels) twice → (batch,)."""
    return torch.sum((x - reconstruction) ** 2, dim=-1)
