"""Where each published data set comes from: addresses, checksums, sizes, terms, and whether one must ask.

What stands here was read in the places that the comments name. Where nothing was found, the table says "not verified".
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from itm_tutorial.data.readers.archives import unpack
from itm_tutorial.data.readers.download import Archive, download
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.storage import cache_dir, disk_errors, prepare_folder

NOT_VERIFIED = "not verified"


@dataclass(frozen=True)
class Source:
    """Where one data set comes from.

    Attributes:
        title: its usual name.
        page: its home page.
        paper: the address of the paper or report that published it; empty if none was found.
        terms: its licence or terms of use, one sentence.
        gigabytes: what there is to download; None where no size was found.
        layout: what the folder for ``--from`` holds.
        n_images: how many photographs the set or one of its published parts has; empty if no figure was found.
        archives: the published files that ``fetch`` gets; none if a person must get all of them.
        ask: whom to ask for it; empty if nobody.
        by_hand: where a person gets what ``fetch`` cannot; empty if it gets everything.
        corpus: the corpus that is made of it, if it has another name.
    """

    title: str
    page: str
    paper: str
    terms: str
    gigabytes: float | None
    layout: str
    n_images: tuple[int, ...] = ()
    archives: tuple[Archive, ...] = ()
    ask: str = ""
    by_hand: str = ""
    corpus: str = ""


# Checksums: mlverse/torchvision (R/dataset-flickr.R) and prabhuomkar/pytorch-cpp (cmake/fetch_flickr8k.cmake), two
# public projects that use the first mirror. The second mirror has files of the same names; the checksum shows whether
# they are the same files. Home page: "Hands-On Transfer Learning with Python".
_FLICKR8K = (
    "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/",
    "https://github.com/Avaneesh40585/Flickr8k-Dataset/releases/download/v1.0/",
)

# Sizes and SHA-256: tensorflow/datasets, url_checksums/coco.txt. The host has no certificate in its own name (it is
# Amazon's), hence http; the checksums show that nobody on the way changed the files.
_COCO = "http://images.cocodataset.org/"

# Size and SHA-256: tensorflow/datasets, url_checksums/coco_captions.txt; MD5: mlverse/torchvision, R/dataset-flickr.R.
# The file holds dataset_flickr8k.json, dataset_flickr30k.json and dataset_coco.json.
_KARPATHY = Archive(
    "caption_datasets.zip",
    ("https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip",),
    md5="4fa8c08369d22fe16e41dc124bd1adc2",
    sha256="4cfd70132527b80933105e5829dc9034eaab9573482e2e680abbab6130244817",
    n_bytes=36_745_453,
)

# Sizes, SHA-256: tensorflow/datasets, url_checksums/oxford_flowers102.txt; MD5: pytorch/vision, datasets/flowers102.py.
_OXFORD = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"

# 82,783 and 40,504 photographs with captions in 2014, 118,287 and 5,000 in 2017: the same ones.
# Terms: cocodataset/cocodataset.github.io, dataset/termsofuse.htm.
_COCO_TERMS = (
    "Annotations: Creative Commons Attribution 4.0; the photographs are not the consortium's, and Flickr's terms of "
    "use hold for them."
)

# Addresses of the two archives of descriptions: README of reedscot/cvpr2016. No checksum and no size were found.
_REED = "https://github.com/reedscot/cvpr2016"

# kuanghuei/SCAN, issues 45 and 53: the archive data.zip (34 GB, both sets) is gone; the author hosts the files here.
_SCAN = "https://www.kaggle.com/datasets/kuanghueilee/scan-features"
_PRECOMP_LAYOUT = "`train_ims.npy`, `train_caps.txt`, and the same of `dev` and `test` (or `testall`)"

SOURCES: dict[str, Source] = {
    "flickr8k": Source(
        title="Flickr8k",
        page="http://nlp.cs.illinois.edu/HockenmaierGroup/8k-pictures.html",
        paper="",
        terms="Given out for research use only.",
        gigabytes=1.1,
        layout="`Flicker8k_Dataset/` (photographs) and `Flickr8k_text/` (captions and lists)",
        n_images=(8_000, 8_091),  # in the lists; with captions, as Kaggle's copy has them
        archives=(
            Archive(
                "Flickr8k_text.zip",
                mirrors=tuple(mirror + "Flickr8k_text.zip" for mirror in _FLICKR8K),
                md5="bf6c1abcb8e4a833b7f922104de18627",
                into="Flickr8k_text",  # this archive has no folder of its own
            ),
            Archive(
                "Flickr8k_Dataset.zip",
                mirrors=tuple(mirror + "Flickr8k_Dataset.zip" for mirror in _FLICKR8K),
                md5="f18a1e2920de5bd84dae7cf08ec78978",
            ),
        ),
    ),
    # Photographs: 31,783 in the captions' file, 31,014 in Karpathy's split. Form: named by many public projects, such
    # as volta and ARO. Terms: README of BryanPlummer/flickr30k_entities.
    # Size: flickr30k-images.zip (4.39 GB) as the Hugging Face set nlphuji/flickr30k has it.
    "flickr30k": Source(
        title="Flickr30k",
        page="https://shannon.cs.illinois.edu/DenotationGraph/",
        paper="https://aclanthology.org/Q14-1006",
        terms="For non-commercial research and education; Flickr's terms of use hold for the photographs.",
        gigabytes=4.4,
        layout="`flickr30k-images/` and `results_20130124.token` or Karpathy's `dataset_flickr30k.json`",
        n_images=(31_783, 31_014),
        ask="the form of the University of Illinois, https://forms.illinois.edu/sec/229675",
    ),
    "coco": Source(
        title="MSCOCO captions 2014, with Karpathy's split",
        page="https://cocodataset.org/#download",
        paper="https://arxiv.org/abs/1405.0312",
        terms=_COCO_TERMS,
        gigabytes=20.4,
        layout="`train2014/`, `val2014/`, `annotations/` and Karpathy's `dataset_coco.json`",
        n_images=(123_287,),
        archives=(
            Archive(
                "annotations_trainval2014.zip",
                (_COCO + "annotations/annotations_trainval2014.zip",),
                sha256="031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009",
                n_bytes=252_872_794,
            ),
            _KARPATHY,
            Archive(
                "val2014.zip",
                (_COCO + "zips/val2014.zip",),
                sha256="fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0",
                n_bytes=6_645_013_297,
            ),
            Archive(
                "train2014.zip",
                (_COCO + "zips/train2014.zip",),
                sha256="ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775",
                n_bytes=13_510_573_713,
            ),
        ),
    ),
    "coco_2017": Source(
        title="MSCOCO captions 2017",
        page="https://cocodataset.org/#download",
        paper="https://arxiv.org/abs/1405.0312",
        terms=_COCO_TERMS,
        gigabytes=20.4,
        layout="`train2017/`, `val2017/` and `annotations/`",
        n_images=(123_287,),
        archives=(
            Archive(
                "annotations_trainval2017.zip",
                (_COCO + "annotations/annotations_trainval2017.zip",),
                sha256="113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
                n_bytes=252_907_541,
            ),
            Archive(
                "val2017.zip",
                (_COCO + "zips/val2017.zip",),
                sha256="4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
                n_bytes=815_585_330,
            ),
            Archive(
                "train2017.zip",
                (_COCO + "zips/train2017.zip",),
                sha256="69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
                n_bytes=19_336_861_798,
            ),
        ),
        corpus="coco",
    ),
    # README of ShuangLI59/Person-Search-with-Natural-Language-Description; layout: README of zifyloo/SSAN.
    "cuhk_pedes": Source(
        title="CUHK-PEDES",
        page="https://github.com/ShuangLI59/Person-Search-with-Natural-Language-Description",
        paper="https://arxiv.org/abs/1702.05729",
        terms="For academic use only.",
        gigabytes=None,
        layout="`reid_raw.json` and `imgs/`",
        n_images=(40_206,),
        ask="the authors, by mail from a university's address (the page names whom)",
    ),
    # README of zifyloo/SSAN, for both the mail and the layout.
    "icfg_pedes": Source(
        title="ICFG-PEDES",
        page="https://github.com/zifyloo/SSAN",
        paper="https://arxiv.org/abs/2107.12666",
        terms="Given out on request; the photographs are of MSMT17, whose own terms hold (not verified).",
        gigabytes=None,
        layout="`ICFG-PEDES.json` (or `ICFG_PEDES.json`) and `imgs/`",
        n_images=(54_522,),
        ask="the authors, by mail (the page names whom)",
    ),
    # README of NjtechCVLab/RSTPReid-Dataset: it links to Google Drive and Baidu and asks for no request. Layout: README
    # of yinhao1102/FMFA.
    "rstpreid": Source(
        title="RSTPReid",
        page="https://github.com/NjtechCVLab/RSTPReid-Dataset",
        paper="https://arxiv.org/abs/2109.05534",
        terms="The page gives the MIT licence; the photographs are of MSMT17, whose own terms hold (not verified).",
        gigabytes=None,
        layout="`data_captions.json` and `imgs/`",
        n_images=(20_505,),
        by_hand="Google Drive or Baidu, to which its page links",
    ),
    # Address, size, MD5: three public projects that name all of them together; size and SHA-256:
    # tensorflow/datasets, url_checksums/caltech_birds2011.txt.
    "cub": Source(
        title="CUB-200-2011, with the descriptions of Reed and others",
        page="https://www.vision.caltech.edu/datasets/cub_200_2011/",
        paper="https://authors.library.caltech.edu/27452/1/CUB_200_2011.pdf",
        terms="No licence was found (not verified): use it for research, and read its page first.",
        gigabytes=1.2,
        layout="`CUB_200_2011/` (photographs) and `cvpr2016_cub/text_c10/` (descriptions)",
        n_images=(11_788,),
        archives=(
            Archive("cvpr2016_cub.tar.gz", page=_REED),
            Archive(
                "CUB_200_2011.tgz",
                ("https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",),
                md5="97eceeb196236b17998738112f37df78",
                sha256="0c685df5597a8b24909f6a7c9db6d11e008733779a671760afef78feb49bf081",
                n_bytes=1_150_585_339,
            ),
        ),
        by_hand=f"the descriptions are at Google Drive, to which {_REED} links",
    ),
    # Terms: waikato-ufdl/ufdl-datasets, pages/102flowers.rst, which quotes the paper.
    "oxford102": Source(
        title="Oxford-102 flowers, with the descriptions of Reed and others",
        page="https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        paper="https://www.robots.ox.ac.uk/~vgg/publications/papers/nilsback08.pdf",
        terms="No licence was found (not verified); most photographs were collected from the web.",
        gigabytes=0.4,
        layout="`jpg/`, `imagelabels.mat`, `setid.mat` and `cvpr2016_flowers/text_c10/` (descriptions)",
        n_images=(8_189,),
        archives=(
            Archive("cvpr2016_flowers.tar.gz", page=_REED),
            Archive(
                "imagelabels.mat",
                (_OXFORD + "imagelabels.mat",),
                md5="e0620be6f572b9609742df49c70aed4d",
                sha256="4903e94206bac23bf772aadf06451916df56b58fc483a62db32a97b82656651d",
                n_bytes=502,
            ),
            Archive(
                "setid.mat",
                (_OXFORD + "setid.mat",),
                md5="a5357ecc9cb78c4bef273ce3793fc85c",
                sha256="46b8678f91fd95d3c8f4feab80d271a6c834a1dd896fe29fd3e6ad9ce5c8dccd",
                n_bytes=14_989,
            ),
            Archive(
                "102flowers.tgz",
                (_OXFORD + "102flowers.tgz",),
                md5="52808999861908f626f3c1f4e79d11fa",
                sha256="2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246",
                n_bytes=344_862_509,
            ),
        ),
        by_hand=f"the descriptions are at Google Drive, to which {_REED} links",
    ),
    "f30k_precomp": Source(
        title="Flickr30k as SCAN's region features",
        page="https://github.com/kuanghuei/SCAN",
        paper="https://arxiv.org/abs/1803.08024",
        terms="No licence of the features was found (not verified); Flickr30k's terms hold for the photographs.",
        gigabytes=9,
        layout=_PRECOMP_LAYOUT,
        by_hand=f"Kaggle, with an account: {_SCAN}",
    ),
    "coco_precomp": Source(
        title="MSCOCO as SCAN's region features",
        page="https://github.com/kuanghuei/SCAN",
        paper="https://arxiv.org/abs/1803.08024",
        terms="No licence of the features was found (not verified); MSCOCO's terms hold for the photographs.",
        gigabytes=36,
        layout=_PRECOMP_LAYOUT,
        by_hand=f"Kaggle, with an account: {_SCAN}",
    ),
    # Address: README of XLearning-SCU/2021-NeurIPS-NCR. Neither a size nor a checksum nor what the archive holds could
    # be read, so it is not fetched. Terms: card of the Hugging Face set pixparse/cc3m-wds. The captions are
    # tab-separated: ids in the first column, captions in the second (the public readers of this set).
    "cc152k_precomp": Source(
        title="CC152K: 152,000 pairs of Conceptual Captions as region features",
        page="https://github.com/XLearning-SCU/2021-NeurIPS-NCR",
        paper="https://proceedings.neurips.cc/paper/2021/file/f5e62af885293cf4d511ceef31e61c80-Paper.pdf",
        terms="Conceptual Captions may be used for any purpose; for the features no licence was found (not verified).",
        gigabytes=None,
        layout="`train_ims.npy`, `train_caps.tsv`, and the same of `dev` and `test`",
        by_hand="https://ncr-paper.cdn.bcebos.com/data/NCR-data.tar (neither size nor checksum is published)",
    ),
}


def source_of(name: str) -> Source:
    """Where a data set comes from.

    Raises:
        ItmError: the name is unknown; the message suggests the nearest ones.
    """
    if name not in SOURCES:
        raise unknown("published data set", name, SOURCES)
    return SOURCES[name]


def downloads_folder(name: str) -> Path:
    """Where the archives of a data set are kept until all of them are unpacked."""
    return cache_dir() / "downloads" / name


def fetch(name: str, archives: Sequence[Archive] | None = None) -> Path:
    """Downloads and unpacks a data set, all of it or nothing; says first on which terms, and how much it is.

    Archives that came before an error are kept for the next run. Once all are unpacked, those that can be downloaded
    again are deleted.

    Args:
        name: a key of ``SOURCES``.
        archives: what to fetch; None takes the published archives.

    Returns:
        The folder with the unpacked files, in the layout that the data set's reader knows.

    Raises:
        ItmError: a person has to get the data set or a part of it (the message says where), the download fails, an
            archive is damaged, or the disk is too small.
    """
    source = source_of(name)
    archives = source.archives if archives is None else archives
    if not archives:
        raise ItmError(how_to_get(name))
    downloads = downloads_folder(name)
    folder = downloads / "unpacked"
    if folder.exists():
        return folder

    def build(part: Path) -> None:
        print(f"{source.title}: {source.terms} Downloading {_size(source)} on these terms, from {_hosts(archives)}.")
        _check_space(name, archives, downloads)
        for archive in sorted(archives, key=lambda archive: bool(archive.mirrors)):  # what may be missing comes first
            download(archive, downloads)
        for archive in archives:
            unpack(downloads / archive.name, part / archive.into)

    prepare_folder(folder, build)
    with disk_errors(downloads):
        for archive in archives:
            if archive.mirrors:
                (downloads / archive.name).unlink(missing_ok=True)
    return folder


def how_to_get(name: str) -> str:
    """One sentence on how a person gets a data set that cannot be downloaded."""
    source = source_of(name)
    way = f"ask {source.ask}" if source.ask else f"get it from {source.by_hand}"
    return (
        f"{name} cannot be downloaded here: {way}; its page is {source.page}. "
        f"Then run `itm prepare {source.corpus or name} --from DIR`, where DIR holds {source.layout.replace('`', '')}"
    )


def _size(source: Source) -> str:
    return f"about {source.gigabytes:g} GB" if source.gigabytes else "an unknown amount"


def _hosts(archives: Sequence[Archive]) -> str:
    return " and ".join(sorted({str(urlsplit(archive.mirrors[0]).hostname) for archive in archives if archive.mirrors}))


def _check_space(name: str, archives: Sequence[Archive], downloads: Path) -> None:
    """The archives and what they unpack to lie side by side for a while; photographs hardly compress."""
    needed = 2 * sum(archive.n_bytes or 0 for archive in archives)
    there = sum(file.stat().st_size for file in downloads.iterdir() if file.is_file())
    free = shutil.disk_usage(downloads).free
    if needed - there > free:
        raise ItmError(
            f"{name} needs {(needed - there) / 1e9:.1f} GB while it is unpacked, and {downloads} has {free / 1e9:.1f} "
            "GB left: free some space, or set ITM_CACHE to another folder"
        )
