"""One file per published method; ``create_model`` makes them by name. Names are loaded when they are first used."""

from importlib import import_module

_DEFINED_IN = {
    "Batch": "_base",
    "EpochState": "_base",
    "FeatureSpec": "_base",
    "Images": "_base",
    "Matching": "_base",
    "Recipe": "_base",
    "build_model": "_factory",
    "check_start": "_factory",
    "create_model": "_factory",
    "features_of": "_factory",
    "recipe_of": "_factory",
    "start_model": "_factory",
    "variant_options": "_factory",
    "provides": "_hooks",
    "list_methods": "_registry",
    "list_models": "_registry",
    "method_of": "_registry",
    "model_class": "_registry",
    "register_model": "_registry",
}

__all__ = list(_DEFINED_IN)


def __getattr__(name: str):
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_DEFINED_IN[name]}"), name)
    globals()[name] = value  # the next look-up does not come here
    return value
