"""GPT: the Transformer's decoder without an encoder, which predicts the next token.

As published it is GPT-2 (Radford et al. 2019, "Language models are unsupervised multitask learners"), and equal to the
transformers library's GPT2LMHeadModel; what has been found to train faster since can be switched on.
"""

import functools
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from . import huggingface
from .attention import Block
from .decoding import Cache, next_token_probabilities
from .huggingface import Origin
from .query_key import query_key


class SquaredReLU(nn.Module):
    """max(x, 0)² (So et al. 2021, "Primer: searching for efficient Transformers for language modeling")."""

    def forward(self, x):
        """(…) → (…)."""
        return F.relu(x).square()


ACTIVATIONS = {"gelu": functools.partial(nn.GELU, approximate="tanh"), "relu2": SquaredReLU}  # GPT-2's is the tanh form
NORMS = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}


@dataclass(frozen=True, kw_only=True)
class GPTConfig:
    """What a GPT is made of. The switches' defaults are GPT-2's; the sizes' are for a CPU.

    Attributes
    ----------
    vocabulary : int
    length : int, the context: tokens that there are positions for
    d, heads, layers, mlp : int, width, heads, blocks, width inside the MLPs
    dropout : float, of the embedded tokens and of every sub-layer's output
    positions : "learned", a vector for each, or "rotary": queries and keys are turned by an angle in proportion to the
        position, so that their product depends on the distance (Su et al. 2021, "RoFormer", section 3.2)
    rotary_base : float, as in QueryKey
    query_key_norm : bool, queries and keys have the root mean square 1, so that no score exceeds √(d/H)
    norm : "layer", or "rms", which does not centre (Zhang and Sennrich 2019, "Root mean square layer normalization")
    activation : "gelu" or "relu2", max(x, 0)²
    zero_residual : bool, the last matrix of each sub-layer begins at zero, so that each block begins as the identity
    tied : bool, the head's matrix is that of the embedding
    bfloat16 : bool, matrix products in bfloat16 while training, which pays where the processor has it
    epsilon : float, of the norms
    """

    vocabulary: int
    length: int = 256
    d: int = 128
    heads: int = 4
    layers: int = 4
    mlp: int = 512
    dropout: float = 0.0
    positions: str = "learned"
    rotary_base: float = 10_000.0
    query_key_norm: bool = False
    norm: str = "layer"
    activation: str = "gelu"
    zero_residual: bool = False
    tied: bool = True
    bfloat16: bool = False
    epsilon: float = 1e-5

    def __post_init__(self):
        for name, options in (("positions", ("learned", "rotary")), ("norm", NORMS), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}; got {getattr(self, name)!r}.")


class GPT(nn.Module):
    """p(x) = Π_t p(x_t | x_{<t}): all T factors in one pass, for no token sees a later one."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        norm = functools.partial(NORMS[config.norm], eps=config.epsilon)
        prepare = query_key(config)
        options = {"dropout": config.dropout, "activation": ACTIVATIONS[config.activation]}
        self.embedding = nn.Embedding(config.vocabulary, config.d)
        self.positions = nn.Embedding(config.length, config.d) if config.positions == "learned" else None
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            Block(config.d, config.heads, config.mlp, norm=norm, prepare=prepare, **options)
            for _ in range(config.layers)
        )
        self.norm = norm(config.d)
        self.head = nn.Linear(config.d, config.vocabulary, bias=False)
        if config.tied:
            self.head.weight = self.embedding.weight
        initialise(self)

    def forward(self, tokens):
        """Logits of the token after each of these, (B, T) of int → (B, T, vocabulary)."""
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=self.config.bfloat16 and self.training):
            return self.head(self.encode(tokens))

    def encode(self, tokens, caches=None):
        """The last vector of each token, (B, T) → (B, T, d); the tokens follow those in the caches, one of each block.

        Raises ValueError where there are more tokens than positions.
        """
        start = 0 if caches is None else caches[0].size
        end = start + tokens.shape[1]
        if end > self.config.length:
            raise ValueError(f"there are {self.config.length} positions; got a sequence of {end} tokens.")
        x = self.embedding(tokens)  # (B, T, d)
        if self.positions is not None:
            x = x + self.positions.weight[start:end]
        x = self.dropout(x)
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks), strict=True):
            x = block(x, causal=True, caches=(cache, None))
        return self.norm(x)

    def generate(self, tokens, max_new_tokens, temperature=1.0, top_k=None, top_p=None, generator=None):
        """Go on from tokens: sample the next one, append it, again and again.

        Keys and values of the tokens that were read stay in a cache, so that a step reads only the newest one. Where
        the context is full, the model goes on from the last half of it.

        Parameters
        ----------
        tokens : (B, T) of int, T at least 1; of more than ``config.length`` the last ones are read
        max_new_tokens : int
        temperature, top_k, top_p : as in ``next_token_probabilities``; temperature 0 is greedy
        generator : torch.Generator; None is torch's own

        Returns
        -------
        (B, T + max_new_tokens), prompt and continuation
        """
        if tokens.ndim != 2 or tokens.shape[1] < 1:
            raise ValueError(f"tokens must be (B, T) with T at least 1; got {tuple(tokens.shape)}.")
        length = min(self.config.length, tokens.shape[1] + max_new_tokens)
        unread, caches = tokens[:, -self.config.length :], None
        with torch.inference_mode():  # a tenth faster than no_grad where the operations are small
            for _ in range(max_new_tokens):
                if caches is None or caches[0].size == length:
                    caches = [Cache(length) for _ in self.blocks]
                logits = self.head(self.encode(unread, caches)[:, -1])  # (B, V)
                if temperature == 0:
                    newest = logits.argmax(dim=-1, keepdim=True)
                else:
                    p = next_token_probabilities(logits, temperature, top_k, top_p)
                    newest = torch.multinomial(p, 1, generator=generator)  # (B, 1)
                tokens = torch.cat([tokens, newest], dim=1)
                unread = newest if caches[0].size < length else tokens[:, -max(length // 2, 1) :]
        return tokens.clone()  # outside, so that it is a tensor like any other

    @classmethod
    def from_huggingface(cls, model):
        """The same model as a GPT2LMHeadModel, or as any object with its ``config`` and ``state_dict()``.

        Raises ValueError where the configuration asks for what GPT-2 has not, or for weights that do not fit (named).
        """
        theirs, tensors = model.config, model.state_dict()
        huggingface.require(theirs, {"activation_function": "gelu_new", "scale_attn_weights": True})
        huggingface.require(theirs, {"scale_attn_by_inverse_layer_idx": False, "add_cross_attention": False})
        config = GPTConfig(
            vocabulary=theirs.vocab_size, length=theirs.n_positions,
            d=theirs.n_embd, heads=theirs.n_head, layers=theirs.n_layer,
            mlp=getattr(theirs, "n_inner", None) or 4 * theirs.n_embd,
            dropout=getattr(theirs, "resid_pdrop", 0.1),
            tied=getattr(theirs, "tie_word_embeddings", True), epsilon=theirs.layer_norm_epsilon,
        )  # fmt: skip
        # Files of the bare GPT2Model lack the prefix; masks that were once stored as buffers are no weights.
        tensors = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
        tensors = {name: t for name, t in tensors.items() if not name.endswith((".attn.bias", ".attn.masked_bias"))}
        if config.tied:
            tensors.pop("lm_head.weight", None)
        gpt = cls(config).to(next(iter(tensors.values())).dtype)
        huggingface.fill(gpt, tensors, _origins(config))
        return gpt.eval()


def initialise(gpt):
    """GPT-2's: N(0, 0.02), with N(0, 0.02/√(2 layers)) for what is added to the residual stream; biases 0, gains 1.

    Small embeddings make all logits small, so that training begins at a loss of about ln V.
    """
    for name, parameter in gpt.named_parameters():
        if parameter.ndim == 1:
            nn.init.constant_(parameter, float(name.endswith("norm.weight")))
        elif name.endswith(("attention.out.weight", "mlp.2.weight")):
            spread = 0.0 if gpt.config.zero_residual else 0.02 * (2 * gpt.config.layers) ** -0.5
            nn.init.normal_(parameter, std=spread)
        else:
            nn.init.normal_(parameter, std=0.02)


def _origins(config):
    """Our parameters' names → theirs; GPT-2 keeps its four matrices of a block as x W."""
    origins = {"embedding.weight": Origin(("wte.weight",)), "positions.weight": Origin(("wpe.weight",))}
    origins |= {f"norm.{kind}": Origin((f"ln_f.{kind}",)) for kind in ("weight", "bias")}
    origins["head.weight"] = Origin(("lm_head.weight",))
    matrices = {"attention.project": "attn.c_attn", "attention.out": "attn.c_proj"}
    matrices |= {"mlp.0": "mlp.c_fc", "mlp.2": "mlp.c_proj"}
    for i in range(config.layers):
        for ours, theirs in (*matrices.items(), ("attention_norm", "ln_1"), ("mlp_norm", "ln_2")):
            for kind in ("weight", "bias"):
                origin = Origin((f"h.{i}.{theirs}.{kind}",), transposed=ours in matrices and kind == "weight")
                origins[f"blocks.{i}.{ours}.{kind}"] = origin
    return origins
