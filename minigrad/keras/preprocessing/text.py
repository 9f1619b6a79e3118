"""Texts as numbers. `tf.keras.preprocessing.text`."""

from minigrad.keras.utils.tokenizer import Tokenizer, text_to_word_sequence, tokenizer_from_json

__all__ = ["Tokenizer", "text_to_word_sequence", "tokenizer_from_json"]
