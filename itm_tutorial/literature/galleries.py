"""Which of the survey's data sets a corpus is compared with, and how many images the papers search."""

from __future__ import annotations

STANDS_FOR = {  # corpus -> the survey's data sets to compare it with
    "scenes": ("Flickr8K", "Flickr30K", "MSCOCO1K", "MSCOCO5K"),
    "people": ("CUHK-PEDES", "ICFG-PEDES", "RSTPReid"),
    "birds": ("CUB",),
    "flowers": ("Flowers",),
    "flickr8k": ("Flickr8K",),
    "flickr30k": ("Flickr30K",),
    "coco": ("MSCOCO1K", "MSCOCO5K"),
    "cuhk_pedes": ("CUHK-PEDES",),
    "icfg_pedes": ("ICFG-PEDES",),
    "rstpreid": ("RSTPReid",),
    "cub": ("CUB",),
    "oxford102": ("Flowers",),
    "f30k_precomp": ("Flickr30K",),
    "coco_precomp": ("MSCOCO1K", "MSCOCO5K"),
}
GALLERIES = {
    "flickr8k": (1000,),
    "flickr30k": (1000,),
    "coco": (1000, 5000),
    "cuhk_pedes": (3074,),
    "icfg_pedes": (19_848,),
    "rstpreid": (1000,),
    "cub": (2933,),  # the photographs of 50 classes
    "oxford102": (1155,),  # of 20 classes
    "f30k_precomp": (1000,),
    "coco_precomp": (1000, 5000),
}  # sizes of the gallery in papers
