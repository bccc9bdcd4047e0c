"""Published layouts made in small: a factory each; captions name their photograph, so that pairs can be checked."""

import json
import zlib
from pathlib import Path

from PIL import Image

LISTS = {"train": 8, "dev": 2, "test": 2}  # photographs per split


def photograph(file: Path) -> None:
    """A JPEG of 24 x 18 pixels in a colour that depends on its name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    seed = zlib.crc32(file.name.encode())
    Image.new("RGB", (24, 18), (seed & 255, seed >> 8 & 255, seed >> 16 & 255)).save(file)


def caption(image: str, number: int, who: str = "nobody") -> str:
    """A caption that tells which photograph and person or class it belongs to; some have a comma or quotes."""
    stem = Path(image).stem
    return [f"View of {stem} with {who} .", f'A "{stem}" , that is {who}', f"Here {who} is in {stem}"][number % 3]


def write_json(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")


def write_lines(file: Path, lines: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def names_of(pattern: str) -> dict[str, list[str]]:
    """Photographs of each split: a pattern with the photograph's number."""
    numbers = iter(range(1, 100))
    return {split: [pattern.format(next(numbers)) for _ in range(n)] for split, n in LISTS.items()}


FLICKR8K = names_of("10{:02d}_ab12.jpg")
FLICKR30K = names_of("20{:02d}.jpg")


def every(names: dict[str, list[str]]) -> list[str]:
    return [name for split in names.values() for name in split]


def flickr8k_published(folder: Path) -> None:
    for image in every(FLICKR8K):
        photograph(folder / "Flicker8k_Dataset" / image)
    lines = [f"{image}#{n}\t{caption(image, n)}" for image in every(FLICKR8K) for n in range(3)]
    write_lines(folder / "Flickr8k_text/Flickr8k.token.txt", lines)
    for split, images in FLICKR8K.items():
        write_lines(folder / f"Flickr8k_text/Flickr_8k.{split}Images.txt", images)


def comma(text: str) -> str:
    """A cell of a CSV file, in quotes where it must be."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def flickr8k_kaggle(folder: Path) -> None:
    for image in every(FLICKR8K):
        photograph(folder / "Images" / image)
    lines = [f"{image},{comma(caption(image, n))}" for image in every(FLICKR8K) for n in range(3)]
    write_lines(folder / "captions.txt", ["image,caption", *lines])


def karpathy(dataset: str, names: dict[str, list[str]], below: str = "", **of_image: object) -> dict:
    """The contents of Karpathy's JSON."""
    split_of = {image: "val" if split == "dev" else split for split, images in names.items() for image in images}
    images = []
    for number, (image, split) in enumerate(split_of.items()):
        sentences = [
            {"tokens": [], "raw": caption(image, n), "imgid": number, "sentid": 3 * number + n} for n in range(3)
        ]
        record = {"filename": image, "split": split, "sentences": sentences, "imgid": number, **of_image}
        images.append({**record, "filepath": below} if below else record)
    return {"images": images, "dataset": dataset}


def flickr8k_karpathy(folder: Path) -> None:
    for image in every(FLICKR8K):
        photograph(folder / "imgs" / image)
    write_json(folder / "dataset_flickr8k.json", karpathy("flickr8k", FLICKR8K))


def flickr30k_token(folder: Path) -> None:
    for image in every(FLICKR30K):
        photograph(folder / "flickr30k-images" / image)
    lines = [f"{image}#{n}\t{caption(image, n)}" for image in every(FLICKR30K) for n in range(3)]
    write_lines(folder / "results_20130124.token", lines)


def flickr30k_kaggle(folder: Path) -> None:
    for image in every(FLICKR30K):
        photograph(folder / "flickr30k_images" / image)
    lines = [f"{image}| {n}| {caption(image, n)}" for image in every(FLICKR30K) for n in range(3)]
    write_lines(folder / "results.csv", ["image_name| comment_number| comment", *lines])


def flickr30k_karpathy(folder: Path) -> None:
    for image in every(FLICKR30K):
        photograph(folder / "flickr30k-images" / image)
    write_json(folder / "dataset_flickr30k.json", karpathy("flickr30k", FLICKR30K))


def coco_name(part: str, number: int, year: str = "2014") -> str:
    return f"COCO_{part}2014_{number:012d}.jpg" if year == "2014" else f"{number:012d}.jpg"


def coco_karpathy(folder: Path) -> None:
    images = []
    numbers = iter(range(1, 100))
    for split, n in {"train": 5, "restval": 3, "val": 2, "test": 2}.items():
        part = "train" if split == "train" else "val"
        for _ in range(n):
            number = next(numbers)
            image = coco_name(part, number)
            photograph(folder / f"{part}2014" / image)
            sentences = [{"raw": caption(image, k), "sentid": k, "tokens": []} for k in range(3)]
            images.append(
                {"filename": image, "filepath": f"{part}2014", "split": split, "sentences": sentences}
                | {"cocoid": number, "imgid": number}
            )
    write_json(folder / "dataset_coco.json", {"images": images, "dataset": "coco"})


def coco_annotations(folder: Path, year: str, part: str, numbers: range) -> None:
    """One file of annotations and its photographs; the captions are in another order than the images."""
    names = {number: coco_name(part, number, year) for number in numbers}
    for image in names.values():
        photograph(folder / f"{part}{year}" / image)
    annotations = [
        {"image_id": number, "id": 10 * number + n, "caption": caption(image, n)}
        for n in range(3)
        for number, image in names.items()
    ]
    images = [{"id": number, "file_name": image, "height": 18, "width": 24} for number, image in names.items()]
    value = {"info": {}, "licenses": [], "images": images, "annotations": annotations}
    write_json(folder / f"annotations/captions_{part}{year}.json", value)


def coco_2014(folder: Path) -> None:
    coco_annotations(folder, "2014", "train", range(1, 7))
    coco_annotations(folder, "2014", "val", range(7, 13))


def coco_2017(folder: Path) -> None:
    coco_annotations(folder, "2017", "train", range(1, 7))
    coco_annotations(folder, "2017", "val", range(7, 13))


def coco_val(folder: Path) -> None:
    coco_annotations(folder, "2017", "val", range(1, 13))


def persons(pattern: str, key: str = "file_path", splits: tuple[str, ...] = ("train", "val", "test")) -> list[dict]:
    """Twelve records of two photographs per person, number 1 to 6; most persons are in training."""
    records = []
    for number in range(1, 7):
        split = splits[max(0, number - 7 + len(splits))]
        for view in range(2):
            path = pattern.format(split=split, number=number, view=view)
            captions = [caption(path, n, f"person{number}") for n in range(2)]
            records.append({"split": split, "captions": captions, key: path, "id": number, "processed_tokens": []})
    return records


def write_persons(folder: Path, file: str, records: list[dict]) -> None:
    for record in records:
        photograph(folder / "imgs" / record.get("file_path", record.get("img_path")))
    write_json(folder / file, records)


def cuhk_pedes(folder: Path) -> None:
    write_persons(folder, "reid_raw.json", persons("CUHK01/{number:04d}{view:03d}.jpg"))


def cuhk_pedes_all(folder: Path) -> None:
    records = persons("cam_a/{number:04d}{view:03d}.jpg")
    for record in records:
        del record["split"]
    write_persons(folder, "caption_all.json", records)


def icfg_pedes(folder: Path) -> None:
    pattern = "{split}/{number:04d}/{number:04d}_{view:03d}.jpg"
    write_persons(folder, "ICFG-PEDES.json", persons(pattern, splits=("train", "test")))


def rstpreid(folder: Path) -> None:
    write_persons(folder, "data_captions.json", persons("{number:04d}_c14_{view:04d}.jpg", "img_path"))


def write_descriptions(folder: Path, classes: list[str], archive: str, image: str) -> None:
    """Descriptions and the lists of classes, of which the last two are for validation and for test."""
    for number, name in enumerate(classes):
        for view in range(2):
            stem = image.format(name=name.partition(".")[2], number=2 * number + view + 1)
            below = folder / archive / "text_c10" / name / f"{stem}.txt"
            write_lines(below, [caption(stem, n, name.replace(".", "")) for n in range(3)])
    for split, own in {"train": classes[:-2], "val": classes[-2:-1], "test": classes[-1:]}.items():
        write_lines(folder / archive / f"{split}classes.txt", own)


def cub(folder: Path) -> None:
    classes = [f"{number:03d}.Bird_{number}" for number in range(1, 7)]
    write_descriptions(folder, classes, "cvpr2016_cub", "{name}_{number:04d}")
    listed = []
    for number, name in enumerate(classes):
        for view in range(2):
            path = f"{name}/{name.partition('.')[2]}_{2 * number + view + 1:04d}.jpg"
            photograph(folder / "CUB_200_2011/images" / path)
            listed.append(f"{len(listed) + 1} {path}")
    write_lines(folder / "CUB_200_2011/images.txt", listed)
    write_lines(folder / "CUB_200_2011/image_class_labels.txt", [f"{i} {(i + 1) // 2}" for i in range(1, 13)])


def oxford102(folder: Path) -> None:
    classes = [f"class_{number:05d}" for number in range(1, 7)]
    write_descriptions(folder, classes, "cvpr2016_flowers", "image_{number:05d}")
    for number in range(1, 13):
        photograph(folder / f"jpg/image_{number:05d}.jpg")


ALL = {  # layout -> the corpus that is read from it
    "flickr8k_published": "flickr8k",
    "flickr8k_kaggle": "flickr8k",
    "flickr8k_karpathy": "flickr8k",
    "flickr30k_token": "flickr30k",
    "flickr30k_kaggle": "flickr30k",
    "flickr30k_karpathy": "flickr30k",
    "coco_karpathy": "coco",
    "coco_2014": "coco",
    "coco_2017": "coco",
    "coco_val": "coco",
    "cuhk_pedes": "cuhk_pedes",
    "cuhk_pedes_all": "cuhk_pedes",
    "icfg_pedes": "icfg_pedes",
    "rstpreid": "rstpreid",
    "cub": "cub",
    "oxford102": "oxford102",
}
N_PHOTOGRAPHS = 12  # in each


def make(layout: str, folder: Path) -> str:
    """Makes a layout in an empty folder; returns the name of its corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    globals()[layout](folder)
    return ALL[layout]
