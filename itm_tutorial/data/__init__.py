"""Where pictures and captions come from: drawn worlds, published data sets, and the types they share."""
