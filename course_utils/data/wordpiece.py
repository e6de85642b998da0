"""WordPiece: words cut into pieces, the frequent ones whole, so that every word has a name in a small vocabulary.

`python -m course_utils.data.wordpiece` trains the docstrings' pieces anew and writes them to data/docstrings.wordpiece.
"""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from . import cache
from .text import docstrings

PAD, UNKNOWN, CLS, SEP, MASK = range(5)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PIECES = 8192  # of the docstrings
PATH = Path(__file__).parents[2] / "data" / "docstrings.wordpiece"


def docstring_tokenizer():
    """The tokenizer of the docstrings' 8,192 pieces, as they are shipped, one a line in the order of their ids."""
    return tokenizer_of(PATH.read_text(encoding="utf-8").split())


def tokenizer_of(pieces):
    """A tokenizer with BERT's rules: lower case, words and punctuation apart, then words cut into pieces.

    A word is cut from its beginning, each time at the longest piece that is known; "##" stands before the later ones.

    Parameters
    ----------
    pieces : sequence of str, in the order of their ids, the five of SPECIAL first

    Returns
    -------
    tokenizers.Tokenizer, whose ``encode(text).ids`` adds neither [CLS] nor [SEP]

    Raises
    ------
    ValueError
        If the special tokens do not come first.
    """
    if tuple(pieces[: len(SPECIAL)]) != SPECIAL:
        raise ValueError(f"pieces must begin with {', '.join(SPECIAL)}; got {', '.join(pieces[: len(SPECIAL)])}.")
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def train_wordpiece(texts, vocabulary):
    """Pieces for texts: single characters, then the most frequent pair of neighbouring pieces, joined, again and again.

    So the tokenizers library does it; Schuster and Nakajima (2012, "Japanese and Korean voice search") took the pair
    that raises the likelihood most. Its choice between equally frequent pairs changes from run to run, and with it the
    ids: a model and its pieces are stored together.

    Parameters
    ----------
    texts : iterable of str
    vocabulary : int, number of pieces, those of SPECIAL included

    Returns
    -------
    list of str, in the order of their ids

    Raises
    ------
    ValueError
        If the texts do not yield so many.
    """
    tokenizer = tokenizer_of(SPECIAL)
    trainer = trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=list(SPECIAL), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    found = tokenizer.get_vocab()
    if len(found) != vocabulary:
        raise ValueError(f"these texts yield {len(found)} pieces; vocabulary asks for {vocabulary}.")
    return sorted(found, key=found.get)


def main():
    """Train the docstrings' pieces on the training part and write them."""
    texts = (sentence for document in docstrings("train", on_missing="raise") for sentence in document.sentences)
    cache.write(PATH, "".join(f"{piece}\n" for piece in train_wordpiece(texts, PIECES)).encode("utf-8"))


if __name__ == "__main__":
    main()
