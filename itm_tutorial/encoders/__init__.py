"""Image and text encoders. Plain ``torch.nn``: tensors in, tensors out."""
