"""Images and captions from drawn worlds and published data sets, and the types for both."""
