"""BERT's registered sizes: those of google-research/bert, where `hidden_dim` is four widths.

Tiny, mini and small are those of Turc et al. 2019 (arXiv 1908.08962), Table 1; base and large
those of Devlin et al. 2019 (arXiv 1810.04805), section 3.
"""

from kzoo.models.bert import bert
from kzoo.models.registry import register_model

register_model("bert_tiny", bert, embedding_dim=128, num_heads=2, hidden_dim=512, num_layers=2)
register_model("bert_mini", bert, embedding_dim=256, num_heads=4, hidden_dim=1024, num_layers=4)
register_model("bert_small", bert, embedding_dim=512, num_heads=8, hidden_dim=2048, num_layers=4)
register_model("bert_base", bert, embedding_dim=768, num_heads=12, hidden_dim=3072, num_layers=12)
register_model("bert_large", bert, embedding_dim=1024, num_heads=16, hidden_dim=4096, num_layers=24)
