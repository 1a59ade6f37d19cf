"""The network of the encoder, in torch: a BERT, and on it a linear layer over the mean and the first of its outputs."""

from __future__ import annotations

import torch
from transformers import BertConfig, BertModel

from dfar_bench.judges.reference.v2 import CLASSES

_SHAPE = {
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
}
_DROPOUT = 0.1


class Network(torch.nn.Module):
    """The published encoder's shape, with untrained weights until a state is loaded."""

    def __init__(self) -> None:
        super().__init__()
        config = BertConfig(**_SHAPE, attn_implementation="sdpa")
        self.bert = BertModel(config, add_pooling_layer=False)
        self.dropout = torch.nn.Dropout(_DROPOUT)
        self.head = torch.nn.Linear(2 * config.hidden_size, len(CLASSES))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (batch, classes), for token ids, mask and segments of shape (batch, tokens)."""
        hidden = self.bert(input_ids=ids, attention_mask=mask, token_type_ids=segments).last_hidden_state
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        logits: torch.Tensor = self.head(self.dropout(torch.cat([mean, hidden[:, 0]], dim=1)))
        return logits
