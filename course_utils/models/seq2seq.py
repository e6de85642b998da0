"""Translation by recurrent networks: the sentence squeezed into one vector, and the attention that came to its help."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .decoding import beam_search


@dataclass(frozen=True, kw_only=True)
class Seq2SeqConfig:
    """What a recurrent encoder–decoder is made of.

    Attributes
    ----------
    source_vocabulary, target_vocabulary : int, tokens of either side
    d : int, even, numbers in the decoder's state, and in the one vector where there is no attention
    embedding : int, numbers that stand for a token
    attention : int, width in which states and source are compared; 0 is the model without attention
    pad, begin, end : int, tokens that fill, begin and end a sequence
    """

    source_vocabulary: int
    target_vocabulary: int
    d: int = 256
    embedding: int = 64
    attention: int = 0
    pad: int = 0
    begin: int = 1
    end: int = 2

    def __post_init__(self):
        if self.d % 2:
            raise ValueError(f"d must be even, half of it for either direction; got {self.d}.")


class Seq2Seq(nn.Module):
    """A GRU reads the source in both directions, another writes the target, a token at a time.

    The decoder sees a context c_t beside each token. Without attention it is the same at every step, the last states of
    the encoder: all that is known of the source must fit into these d numbers (Sutskever et al. 2014; Cho et al. 2014).
    With it, c_t is a weighted mean of the encoder's states at every token of the source, and the weights depend on the
    state before (Bahdanau et al. 2015): no bottleneck, but still one step after the other.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.source_embedding = nn.Embedding(config.source_vocabulary, config.embedding)
        self.target_embedding = nn.Embedding(config.target_vocabulary, config.embedding)
        self.encoder = nn.GRU(config.embedding, config.d // 2, bidirectional=True, batch_first=True)
        self.decoder = nn.GRU(config.embedding + config.d, config.d, batch_first=True)
        self.begin_state = nn.Linear(config.d, config.d)
        self.out = nn.Linear(2 * config.d, config.target_vocabulary)
        if config.attention:
            self.attend_state = nn.Linear(config.d, config.attention)
            self.attend_memory = nn.Linear(config.d, config.attention, bias=False)
            self.attend_score = nn.Linear(config.attention, 1, bias=False)
        self.apply(initialise)

    def forward(self, source, target, source_mask=None):
        """Logits of the token after each of the target's.

        Parameters
        ----------
        source, target : (B, S) and (B, T) of int; the target begins with ``config.begin``
        source_mask : (B, S) of bool, True at tokens, which come before the padding; None finds it

        Returns
        -------
        (B, T, target_vocabulary)
        """
        mask = source != self.config.pad if source_mask is None else source_mask
        memory, last = self.encode(source, mask)
        x, state = self.target_embedding(target), torch.tanh(self.begin_state(last))  # (B, T, e), (B, d)
        if not self.config.attention:
            context = last[:, None].expand(-1, x.shape[1], -1)  # (B, T, d)
            states, _ = self.decoder(torch.cat([x, context], dim=-1), state[None])  # (B, T, d)
            return self.out(torch.cat([states, context], dim=-1))
        keys, outputs = self.attend_memory(memory), []
        for t in range(x.shape[1]):
            context, _ = self.attend(state, memory, keys, mask)
            state = self._step(x[:, t], context, state)
            outputs.append(torch.cat([state, context], dim=-1))
        return self.out(torch.stack(outputs, dim=1))

    def encode(self, source, mask):
        """States at every token (B, S, d), and the last ones of both directions (B, d)."""
        lengths = mask.sum(dim=1).cpu()
        packed = pack_padded_sequence(self.source_embedding(source), lengths, batch_first=True, enforce_sorted=False)
        states, last = self.encoder(packed)
        memory, _ = pad_packed_sequence(states, batch_first=True, total_length=source.shape[1])
        return memory, last.transpose(0, 1).flatten(1)  # (2, B, d/2) → (B, d)

    def attend(self, state, memory, keys, mask):
        """Context (B, d) and its weights (B, S): α = softmax(vᵀ tanh(W s + U h)), c = Σ α h (their section 3.1)."""
        scores = self.attend_score(torch.tanh(self.attend_state(state)[:, None] + keys)).squeeze(-1)  # (B, S)
        weights = scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)
        return torch.einsum("bs,bsd->bd", weights, memory), weights

    @torch.no_grad()
    def alignment(self, source, target):
        """The weights of each token of the target on the source's, (B, S) and (B, T) of int → (B, T, S).

        Raises
        ------
        ValueError
            If the model has no attention.
        """
        if not self.config.attention:
            raise ValueError("this model has no attention: its config.attention is 0.")
        mask = source != self.config.pad
        memory, last = self.encode(source, mask)
        state, keys, found = torch.tanh(self.begin_state(last)), self.attend_memory(memory), []
        for x in self.target_embedding(target).unbind(dim=1):
            context, weights = self.attend(state, memory, keys, mask)
            state = self._step(x, context, state)
            found.append(weights)
        return torch.stack(found, dim=1)

    @torch.no_grad()
    def translate(self, source, source_mask=None, *, max_length=200, beams=1):
        """The most probable translation that a beam search finds, as ``Transformer.translate``."""
        mask = source != self.config.pad if source_mask is None else source_mask
        memory, last, mask = (part.repeat_interleave(beams, dim=0) for part in (*self.encode(source, mask), mask))
        state, context = torch.tanh(self.begin_state(last)), last
        keys = self.attend_memory(memory) if self.config.attention else None

        def step(tokens, parents):
            nonlocal state, context
            state = state[parents]
            if keys is not None:
                context, _ = self.attend(state, memory, keys, mask)
            state = self._step(self.target_embedding(tokens), context, state)
            return self.out(torch.cat([state, context], dim=-1))

        special = {"begin": self.config.begin, "end": self.config.end, "pad": self.config.pad}
        return beam_search(step, len(source), beams=beams, max_length=max_length, device=source.device, **special)

    def _step(self, x, context, state):
        """The decoder's next state: token (B, e), context (B, d) and state (B, d) → (B, d)."""
        output, _ = self.decoder(torch.cat([x, context], dim=-1)[:, None], state[None].contiguous())
        return output[:, 0]


def initialise(module):
    """GRU: Xavier uniform into its gates, orthogonal from state to state, biases 0; embeddings N(0, 0.1²)."""
    if isinstance(module, nn.GRU):
        for name, weight in module.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(weight)
            elif name.startswith("weight_hh"):
                for gate in weight.chunk(3):
                    nn.init.orthogonal_(gate)
            else:
                nn.init.zeros_(weight)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.1)
