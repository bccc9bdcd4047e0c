"""Networks that are trained once and then cached: backbone, detector, word vectors, BERT."""
