"""Writes the page of published data sets from their table.

python docs/data.py
"""

from pathlib import Path

from itm_tutorial.data.readers.sources import NOT_VERIFIED, SOURCES, Source


def page() -> str:
    """The page ``docs/data.md``: the table of all published data sets, and how to get each."""
    rows = [
        "# Published data sets",
        "",
        "Made from `itm_tutorial/data/readers/sources.py` by `python docs/data.py`; do not edit it here. The course "
        "itself needs none of these: its drawn worlds are made on your computer. Nothing is downloaded unless you ask "
        "for it.",
        "",
        "| name | data set | to download | how it comes | terms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, source in SOURCES.items():
        paper = f", [paper](<{source.paper}>)" if source.paper else ""
        size = f"{source.gigabytes:g} GB" if source.gigabytes else NOT_VERIFIED
        rows.append(
            f"| `{name}` | [{source.title}](<{source.page}>){paper} | {size} | {_way(source)} | {source.terms} |"
        )
    rows += ["", "## How to get them", ""]
    for name, source in SOURCES.items():
        rows += [f"### {source.title}", "", *_steps(name, source), ""]
    return "\n".join([*rows, *_GENERAL])


def _way(source: Source) -> str:
    if source.ask:
        return "you must ask"
    if not source.archives:
        return "by hand"
    return "downloaded; a part by hand" if source.by_hand else "downloaded"


def _steps(name: str, source: Source) -> list[str]:
    from_folder = f"`itm prepare {source.corpus or name} --from DIR`, where DIR holds {source.layout}."
    if source.ask:
        return [f"Ask {source.ask}. Then run {from_folder}"]
    if not source.archives:
        return [f"Get it from {source.by_hand}. Then run {from_folder}"]
    download = f"python data_scripts/{source.corpus}.py {name} --download" if source.corpus else f"itm prepare {name}"
    steps = [f"`{download}` downloads it. If you have it already, run {from_folder}"]
    if source.by_hand:
        names = " and ".join(f"`{archive.name}`" for archive in source.archives if not archive.mirrors)
        steps = [
            f"A part must be got by hand: {source.by_hand}. Put {names} into the folder that `itm prepare {name}` "
            f"names, and run it again; it downloads the rest. Or run {from_folder}"
        ]
    rows = ["", "| file | bytes | checksum |", "| --- | --- | --- |"]
    for archive in source.archives:
        checksum = f"SHA-256 `{archive.sha256}`" if archive.sha256 else f"MD5 `{archive.md5}`" if archive.md5 else ""
        size = f"{archive.n_bytes:,}" if archive.n_bytes else NOT_VERIFIED
        rows.append(f"| `{archive.name}` | {size} | {checksum or 'none is published; the one found is recorded'} |")
    return steps + rows


_GENERAL = [
    "## The scripts",
    "",
    "`data_scripts/` has one script per data set, with the same three options:",
    "",
    "- `python data_scripts/coco.py --from DIR` prepares it from a folder, as `itm prepare` does.",
    "- `python data_scripts/coco.py --check --from DIR` reads the lists, counts, and decodes every photograph; without "
    "`--from`, it checks the prepared copy. It changes nothing, and ends with exit code 1 if something is broken.",
    "- `python data_scripts/coco.py --download` says the terms and the size, downloads, unpacks and prepares.",
    "",
    "What was downloaded stays unpacked in the folder `downloads` of the cache (`ITM_CACHE`), and the photographs are "
    "read there; only Flickr8k is copied. While it is unpacked, a data set needs twice its size.",
    "",
    "A download that breaks goes on where it stopped when you run the command again. Files are checked against their "
    "published checksum. Where none is published, the size is checked if it is known, and the SHA-256 of the file that "
    "came is written beside it. A server that is slower than 1,000 bytes per second for 15 seconds is given up, and "
    "the next mirror is asked.",
    "",
]


if __name__ == "__main__":
    file = Path(__file__).with_suffix(".md")
    file.write_text(page(), encoding="utf-8")
    print(f"written to {file}")
