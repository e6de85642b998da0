"""Real data that need no network, and three optional downloads. Each file has its card in data/README.md.

`tables` (iris, wine, breast cancer), `images` (digits; MNIST and Fashion-MNIST by download), `text` (docstrings;
tiny Shakespeare by download), `numbers` (number words in Korean and English).
"""
