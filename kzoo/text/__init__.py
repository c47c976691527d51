"""Vocabularies and tokenizers; plain Python needs no TensorFlow, the graph path imports it."""

from kzoo.text.bert import BertTokenizer
from kzoo.text.bert_tagging import BertTaggingTokenizer
from kzoo.text.byte import ByteTokenizer
from kzoo.text.character import CharacterTokenizer
from kzoo.text.lines import detokenize_lines, tokenize_lines, tokenize_prompts
from kzoo.text.sentence_piece import SentencePieceTokenizer
from kzoo.text.serialization import TOKENIZERS, load_tokenizer, tokenizer_from_json
from kzoo.text.tagging import TaggingTokenizer
from kzoo.text.tokenizer import Tokenizer
from kzoo.text.word import WordTokenizer
from kzoo.text.word_piece import WordPieceTokenizer
from kzoo.text.word_vectors import WordVectors

__all__ = [
    "TOKENIZERS",
    "BertTaggingTokenizer",
    "BertTokenizer",
    "ByteTokenizer",
    "CharacterTokenizer",
    "SentencePieceTokenizer",
    "TaggingTokenizer",
    "Tokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
    "WordVectors",
    "detokenize_lines",
    "load_tokenizer",
    "tokenize_lines",
    "tokenize_prompts",
    "tokenizer_from_json",
]
