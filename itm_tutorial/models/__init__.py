"""One file per published method; ``create_model`` makes them by name."""

from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._factory import build_model, create_model, features_of, list_models, model_class

__all__ = [
    "Batch",
    "FeatureSpec",
    "Matching",
    "Recipe",
    "build_model",
    "create_model",
    "features_of",
    "list_models",
    "model_class",
]
