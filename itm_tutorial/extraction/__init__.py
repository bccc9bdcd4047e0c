"""Visual features, computed once and kept."""
