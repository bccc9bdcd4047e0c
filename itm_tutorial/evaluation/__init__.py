"""Metrics: of retrieval, of classes, on minimal pairs, of attention, and of the gap between the modalities."""
