"""What turns a picture or a sentence into numbers. Plain ``torch.nn``: tensors in, tensors out."""
