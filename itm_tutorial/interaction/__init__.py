"""How image embeddings and caption embeddings meet: from one dot product to cross-modal attention."""
