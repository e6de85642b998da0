"""How far a trained linear VAE is from probabilistic PCA, its known optimum: nats, and angles of the decoder's columns.

Grey digits, closed-form ELBO, L-BFGS in float64. The bound is near its optimum long before the columns lie along the
principal components, for turning them within their plane changes it little (Lucas et al. 2019).
"""

import numpy as np
import torch
from sklearn.decomposition import PCA

from course_utils.data import images
from course_utils.models.linear_vae import LinearVAE
from course_utils.optima.ppca import ProbabilisticPCA

CONFIG = {"seeds": 5, "latent": [2, 4, 8], "iterations": [30, 100, 300, 1000]}


def run(config, report):
    """results[str(latent)]: "optimum", the likelihood's maximum; "nats" from it and least "cosine", (iterations, seed).

    The cosine is that of the angle between a column of W and the principal component nearest to it. "score" is
    PCA.score, a little below the maximum, for scikit-learn divides the covariance by n − 1.
    """
    X = images.digits("train").X
    x, results = torch.from_numpy(X), {}
    for latent in config["latent"]:
        pca = PCA(latent).fit(X)
        optimum = ProbabilisticPCA.fit(X, latent).log_marginal(X).mean()
        nats, cosine = np.zeros((2, len(config["iterations"]), config["seeds"]))
        for seed in range(config["seeds"]):
            for i, iterations in enumerate(config["iterations"]):
                model = LinearVAE(X.shape[1], latent, torch.Generator().manual_seed(seed)).fit(x, iterations)
                with torch.no_grad():
                    reconstruction, kl = model.exact_elbo(x)
                nats[i, seed] = optimum - (reconstruction - kl).mean().item()
                W = model.weights.detach().numpy()
                cosine[i, seed] = np.abs(pca.components_ @ (W / np.linalg.norm(W, axis=0))).max(axis=0).min()
        results[str(latent)] = {
            "optimum": optimum,
            "score": pca.score(X),
            "nats": [[float(f"{value:.3g}") for value in row] for row in nats],
            "cosine": np.round(cosine, 6).tolist(),
        }
        report(f"{latent} latent: {nats[-1].max():.2g} nats, cosine {cosine[-1].min():.6f}")
    return results
