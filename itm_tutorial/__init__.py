"""Image-text matching, one idea at a time: the package behind the course's notebooks.

``import itm_tutorial as itm`` costs a few milliseconds: each public name is loaded from its
module when it is first used, so that ``itm doctor`` can run where torch cannot.
"""

from importlib import import_module

__version__ = "0.1.0"

# Public name -> the module that defines it. Sub-packages that are used as namespaces stand below.
_DEFINED_IN = {
    "ItmError": "errors",
    "in_course": "storage",
    "Corpus": "data.corpus",
    "Split": "data.corpus",
    "load_corpus": "data.loading",
    "list_corpora": "data.names",
    "corpus_from_table": "data.table",
    "features": "extraction.features",
    "create_model": "models",
    "list_models": "models",
    "fit": "training.loop",
    "unfreeze": "training.finetuning",
    "add_attention": "training.finetuning",
    "save_model": "training.checkpoints",
    "load_model": "training.checkpoints",
    "score": "retrieval.scoring",
    "search": "retrieval.search",
    "SearchIndex": "retrieval.search",
    "rerank": "retrieval.rerank",
    "evaluate": "evaluation.retrieval_metrics",
    "evaluate_embeddings": "evaluation.retrieval_metrics",
    "evaluate_folds": "evaluation.retrieval_metrics",
    "evaluate_minimal_pairs": "evaluation.minimal_pairs",
    "oracle_scores": "evaluation.minimal_pairs",
    "true_fractions": "evaluation.minimal_pairs",
    "write_captions": "retrieval.writing",
    "evaluate_captions": "evaluation.caption_truth",
    "attend": "evaluation.grounding",
    "evaluate_attention": "evaluation.grounding",
    "WordVectors": "data.word_vectors",
    "read_word_vectors": "data.word_vectors",
    "world_words": "pretraining.word_vectors",
    "hit_at_k": "evaluation.class_metrics",
    "hierarchical_precision": "evaluation.class_metrics",
    "k_occurrence": "evaluation.class_metrics",
    "skewness": "evaluation.class_metrics",
    "search_by_class": "evaluation.class_metrics",
    "precision_at_k": "evaluation.class_metrics",
    "identities_by_images": "training.samplers",
    "load_bert": "pretraining.bert",
}
_NAMESPACES = {
    "claims": "chapters.experiment",
    "leaderboard": "course.leaderboard",
    "literature": "literature",
    "show": "show",
}

_EARLIER = {"evaluate_codes": "evaluate_embeddings", "evaluate_siblings": "evaluate_minimal_pairs"}  # they still work

__all__ = ["__version__", *_DEFINED_IN, *_NAMESPACES]


def __getattr__(name: str):
    name_now = _EARLIER.get(name)
    if name_now is not None:
        return __getattr__(name_now)
    if name in _DEFINED_IN:
        value = getattr(import_module(f"{__name__}.{_DEFINED_IN[name]}"), name)
    elif name in _NAMESPACES:
        value = import_module(f"{__name__}.{_NAMESPACES[name]}")
    else:
        where = "; exercises are in itm_tutorial.chapters.chNN_name" if name == "lessons" else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{where}")
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
