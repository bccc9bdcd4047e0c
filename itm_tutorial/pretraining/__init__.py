"""Networks that are trained once and kept in the cache: backbone, detector, word vectors, BERT."""
