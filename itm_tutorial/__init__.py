"""Image-text matching, one idea at a time: the package behind the course's notebooks.

``import itm_tutorial as itm`` costs a few milliseconds: each public name is loaded from its
module when it is first used, so that ``itm doctor`` can run where torch cannot.
"""

from importlib import import_module

__version__ = "0.1.0"

# Public name -> the module that defines it. Sub-packages that are used as namespaces stand below.
_DEFINED_IN = {
    "ItmError": "errors",
    "Corpus": "data.corpus",
    "Split": "data.corpus",
    "load_corpus": "data.loading",
    "list_corpora": "data.loading",
    "features": "visual_features",
    "create_model": "models",
    "list_models": "models",
    "fit": "training",
    "unfreeze": "finetuning",
    "add_attention": "finetuning",
    "save_model": "checkpoints",
    "load_model": "checkpoints",
    "score": "retrieval",
    "search": "retrieval",
    "evaluate": "metrics",
    "evaluate_codes": "metrics",
    "evaluate_folds": "metrics",
    "evaluate_siblings": "siblings",
    "oracle_scores": "siblings",
    "attend": "attention",
    "evaluate_attention": "attention",
    "WordVectors": "data.word_vectors",
    "read_word_vectors": "data.word_vectors",
    "world_words": "word_training",
    "hit_at_k": "class_metrics",
    "hierarchical_precision": "class_metrics",
    "k_occurrence": "class_metrics",
    "skewness": "class_metrics",
    "search_by_class": "class_metrics",
    "precision_at_k": "class_metrics",
    "identities_by_images": "batch_plans",
    "load_bert": "bert_training",
}
_NAMESPACES = ("claims", "leaderboard", "lessons", "literature", "show")

__all__ = ["__version__", *_DEFINED_IN, *_NAMESPACES]


def __getattr__(name: str):
    if name in _DEFINED_IN:
        value = getattr(import_module(f"{__name__}.{_DEFINED_IN[name]}"), name)
    elif name in _NAMESPACES:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
