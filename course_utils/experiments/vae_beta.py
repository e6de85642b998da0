"""Posterior collapse: the KL of each latent dimension as β, the weight of the KL in the loss, grows.

A dimension whose KL is zero says nothing of x: there q(z_j | x) is the prior. With β = 1 the loss is the ELBO, and even
there some of the dimensions that a VAE is given stay unused.
"""

import dataclasses

import numpy as np
import torch

from course_utils.models.vae import elbo, gaussian_kl
from course_utils.recipes import vae
from course_utils.training.loop import train

CONFIG = {
    "seeds": 3,
    "betas": [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0],
    "preset": dataclasses.asdict(vae.PRESETS["digits"]),
    "draws": 20,  # of z for each image, to average the reconstruction
    "active": 0.01,  # a dimension is active where Var_x E_q[z_j] is more (Burda et al. 2016)
}


@torch.no_grad()
def measure(model, x, config, seed):
    """KL of each dimension in decreasing order, the reconstruction, and the number of active dimensions, held out."""
    mu, log_var = model.encode(x)
    by_dimension = gaussian_kl(mu[..., None], log_var[..., None]).mean(dim=0).sort(descending=True).values
    generator = torch.Generator().manual_seed(seed)
    reconstruction = torch.stack([elbo(model, x, generator)[0] for _ in range(config["draws"])]).mean()
    return by_dimension.numpy(), float(reconstruction), int((mu.var(dim=0) > config["active"]).sum())


def run(config, report):
    """results[str(β)]: "kl" (seed, dimension), "reconstruction", "elbo" (β = 1 in it) and "active", a number a seed."""
    results = {}
    for beta in config["betas"]:
        found = results[str(beta)] = {"kl": [], "reconstruction": [], "elbo": [], "active": []}
        for seed in range(config["seeds"]):
            preset = config["preset"] | {"hidden": tuple(config["preset"]["hidden"]), "beta": beta, "seed": seed}
            model = train(vae, vae.Config(**preset), save_every=preset["steps"]).model.eval()
            _, x = vae.data(vae.Config(**preset))
            kl, reconstruction, active = measure(model, x, config, seed)
            found["kl"].append(np.round(kl, 4).tolist())
            found["reconstruction"].append(round(reconstruction, 4))
            found["elbo"].append(round(reconstruction - float(kl.sum()), 4))
            found["active"].append(active)
        report(f"β = {beta}: KL {np.sum(found['kl'], axis=1).round(2)}, active {found['active']}")
    return results
