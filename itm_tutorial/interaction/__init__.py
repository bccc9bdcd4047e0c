"""Interactions: similarities of image and caption embeddings, from one dot product to cross-modal attention."""
